// Serves a folder of examples/ by Vite on a free port, with a Lyceum server at `api`.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const file = (path) => fileURLToPath(new URL(path, import.meta.url));

export async function serve(example, api) {
  process.env.VITE_API = api;
  const require = createRequire(file('../../examples/package.json'));
  const { createServer } = await import(pathToFileURL(require.resolve('vite')).href);
  const vite = await createServer({
    root: file(`../../examples/${example}`),
    logLevel: 'error',
    server: { port: 0, strictPort: false },
    // As on the first start: what Vite kept of an earlier one has hidden a failure.
    optimizeDeps: { force: true },
  });
  return vite.listen();
}

export function check(holds, what) {
  if (!holds) throw new Error(`expected: ${what}`);
}
