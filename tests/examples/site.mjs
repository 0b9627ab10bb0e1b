// What the tests of examples/ share: pages that Vite serves on a free port, and sessions of the demo accounts.
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Serves a folder of examples/, with a Lyceum server at `api`. */
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

/** The password of the demo accounts. */
export const PASSWORD = 'learn-with-lyceum';

/** Signs in at the API; returns a function that sends an operation and returns its data. */
export async function session(base, email) {
  let token;
  const send = async (query, input) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) });
    const { data, errors } = await response.json();
    check(!errors && Object.values(data).every((value) => !value?.userErrors?.length), JSON.stringify(errors ?? data));
    return data;
  };
  const { signIn } = await send('mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }', { email, password: PASSWORD });
  token = signIn.accessToken;
  return send;
}
