import { fileURLToPath } from 'node:url';

export default {
  // The one package-lock.json of all examples.
  turbopack: { root: fileURLToPath(new URL('..', import.meta.url)) },
};
