// Uses the page of examples/next as a browser without scripts would: node tests/examples/next.mjs <base url>
//
// Ends with NEXT OK and code 0, or with the reason and code 1. Needs `npm ci` in examples/.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const [base] = process.argv.slice(2);
const folder = fileURLToPath(new URL('../../examples/next', import.meta.url));
const require = createRequire(new URL('../../examples/package.json', import.meta.url));
const port = await new Promise((resolve) => {
  const free = createServer().listen(0, '127.0.0.1', () => {
    const { port } = free.address();
    free.close(() => resolve(port));
  });
});

/** Counts how often a refresh token is exchanged. */
let refreshes = 0;
const { createServer: createHttp } = await import('node:http');
const counter = createHttp(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (body.includes('refreshSession')) refreshes += 1;
  const { host, connection, 'content-length': length, 'transfer-encoding': coding, ...headers } = request.headers;
  const answer = await fetch(new URL(request.url, base), { method: 'POST', headers, body });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') }).end(await answer.text());
});
await new Promise((resolve) => counter.listen(0, '127.0.0.1', resolve));

const started = Date.now();
const env = { ...process.env, LYCEUM_URL: `http://127.0.0.1:${counter.address().port}`, NEXT_TELEMETRY_DISABLED: '1' };
const next = spawn(process.execPath, [require.resolve('next/dist/bin/next'), 'dev', '-H', '127.0.0.1', '-p', String(port)],
  { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
let said = '';
next.stdout.on('data', (text) => (said += text));
next.stderr.on('data', (text) => (said += text));

const site = `http://127.0.0.1:${port}`;
const jar = new Map();
async function visit(path, init = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { cookie, 'user-agent': 'Test browser', ...init.headers };
  const response = await fetch(`${site}${path}`, { redirect: 'manual', ...init, headers });
  for (const set of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
    if (/max-age=0/i.test(set) || !value) jar.delete(name);
    else jar.set(name, value);
    check(/httponly/i.test(set) && /samesite=lax/i.test(set), `no script can read the cookie ${set}`);
  }
  return { status: response.status, location: response.headers.get('location'), html: await response.text() };
}
const post = (fields, headers) => visit('/session', { method: 'POST', body: new URLSearchParams(fields), headers });

try {
  await ready();
  check((await visit('/')).html.includes('Sign in'), 'nobody is signed in');
  check((await post({ email: 'x@y.example', password: 'wrong-password' })).location.includes('error='), 'a wrong password');
  check((await post({ email: 'x', password: 'y' }, { origin: 'https://evil.example' })).status === 403, 'a form of another site');
  const entered = await post({ email: 'student@lyceum.example', password: 'learn-with-lyceum' }, { origin: site });
  check(entered.status === 303 && jar.size === 2, `signing in sets two cookies: ${entered.status} ${[...jar.keys()]}`);
  const page = (await visit('/')).html.replaceAll('<!-- -->', '');
  check(/Welcome, \w+/.test(page) && /[1-9]\d* courses/.test(page), `the server renders the visitor's page: ${page}`);

  // The access token's cookie has ended, and a page and its data are asked for at once.
  const before = jar.get('school-refresh');
  jar.delete('school-access');
  const pages = await Promise.all([1, 2, 3, 4].map(() => visit('/')));
  check(pages.every(({ html }) => html.includes('Welcome')), 'all are signed in');
  check(refreshes === 1, `the refresh token was used ${refreshes} times`);
  check(jar.get('school-refresh') !== before && jar.has('school-access'), 'the browser has the next tokens');
  check((await visit('/')).html.includes('Welcome'), 'and goes on with them');

  await post({ leave: '1' }, { origin: site });
  check(jar.size === 0 && (await visit('/')).html.includes('Sign in'), 'signing out removes them');
  console.log(`NEXT OK ${Date.now() - started} ms`);
} catch (error) {
  console.error(`NEXT FAILED: ${error.stack}\n${said}`);
  process.exitCode = 1;
} finally {
  try { process.kill(-next.pid, 'SIGKILL'); } catch { /* It has ended. */ }
  counter.close();
  counter.closeAllConnections();
}

async function ready() {
  for (let tries = 0; ; tries += 1) {
    if (await fetch(site, { headers: { accept: 'text/html' } }).then((page) => page.ok, () => false)) return;
    check(tries < 400 && next.exitCode === null, 'next is ready');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function check(holds, what) {
  if (!holds) throw new Error(`expected: ${what}`);
}
