// Drives the console in a real browser: node tests/browser/console.mjs <base url> <screenshot dir>
//
// Prints SUBSCRIBED once the subscription runs; somebody else must then publish a lesson within 20 seconds.
// Ends with CONSOLE OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and a Chromium
// ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GROUPS } from '../../console/src/tasks.js';
import { launch } from './chromium.mjs';

const require = createRequire(new URL('../../console/package.json', import.meta.url));
const { buildSchema, parse, validate } = require('graphql');

const ADMIN = 'admin@lyceum.example';
const STUDENT = 'student@lyceum.example';
const PASSWORD = 'learn-with-lyceum';
const PUSH_WITHIN_MS = 20_000;

const [base, shots] = process.argv.slice(2);
if (!base || !shots) {
  console.error('usage: node tests/browser/console.mjs <base url> <screenshot dir>');
  process.exit(1);
}
mkdirSync(shots, { recursive: true });

const browser = await launch();
// Its tabs share cookies.
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
const page = await context.newPage();
try {
  await run(page);
  console.log('CONSOLE OK');
} catch (error) {
  await shoot(page, 'console-failed').catch(() => {});
  console.error(`CONSOLE FAILED: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function run(page) {
  page.setDefaultTimeout(20_000);
  const strays = watchOrigin(page);
  const errors = watchErrors(page);
  const socket = watchSubscribe(page);
  const response = () => page.locator('.graphiql-response .view-lines');

  await page.goto(new URL('/console', base).href);
  await page.getByRole('heading', { name: 'Lyceum console' }).waitFor();
  check((await page.title()) === 'Lyceum console', 'the page’s title is “Lyceum console”');
  await shoot(page, 'console-sign-in');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'console-sign-in-dark');
  await page.emulateMedia({ colorScheme: 'light' });

  await signIn(page, ADMIN, 'not-the-password');
  const refusal = await alertText(page);
  check(refusal.length > 0, 'a wrong password shows an error line');
  await shoot(page, 'console-sign-in-wrong');

  await signIn(page, STUDENT, PASSWORD);
  await page.getByRole('alert').filter({ hasText: /administrator/i }).waitFor();
  check((await page.locator('.graphiql-container').count()) === 0, 'a student doesn’t get in');
  check((await tokens(page)).length === 0, 'a refused account leaves no token behind');

  // Without a mouse: tab from the e-mail to the password, Enter submits.
  await page.getByLabel('E-mail').fill(ADMIN);
  await page.getByLabel('E-mail').press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const cookies = await tokens(page);
  check(cookies.length === 2 && cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax'), 'the tokens are in two cookies that scripts can’t read');
  const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  check(cookies.every(({ value }) => !kept.includes(value)), 'no script can read a token');

  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'totalCount' }).waitFor();
  await useTasks(page);
  await execute(page);
  await response().filter({ hasText: 'totalCount' }).waitFor();
  const answer = plain(await response().innerText());
  check(/"totalCount": [1-9]/.test(answer) && /"title": "./.test(answer), `the catalog query answers with courses, not: ${answer}`);
  check(!answer.includes('"errors"'), `the catalog query answers without errors, not: ${answer}`);
  // The reference panel is built from introspection: it shows that the schema arrived.
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Subscription', { exact: true }).waitFor();
  await page.mouse.move(0, 0);
  await shoot(page, 'console-query');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'console-query-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();

  await page.getByRole('tab', { name: 'NewVideos' }).click();
  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'newVideo' }).waitFor();
  await execute(page);
  await socket.subscribed;
  await response().filter({ hasText: '"isStart": true' }).waitFor({ timeout: PUSH_WITHIN_MS });
  console.log('SUBSCRIBED');
  await response().filter({ hasText: '"isStart": false' }).waitFor({ timeout: PUSH_WITHIN_MS });
  const push = plain(await response().innerText());
  check(/"lesson": \{\s*"title": "./.test(push) && !push.includes('"errors"'), `the push carries a lesson, not: ${push}`);
  await page.mouse.move(0, 0);
  await shoot(page, 'console-push');
  await page.getByRole('button', { name: 'Stop query' }).click();
  await staySignedIn(page);
  await twoTabs(page);
  check(errors.length === 0, `no console errors, not: ${errors.join(' | ')}`);

  // From here Chromium itself may log what the server refuses, so only exceptions are judged.
  errors.quiet = true;
  await loseSession(page);
  await signOut(page);
  await secondFactor(page);

  check(errors.length === 0, `no exceptions, not: ${errors.join(' | ')}`);
  check(strays.length === 0, `no request leaves ${base}, not: ${strays.join(' ')}`);
}

/** The ready operations are at hand, fit the schema and run. */
async function useTasks(page) {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const names = [];
  for (const { query, variables } of GROUPS.flatMap((group) => group.tasks)) {
    const document = parse(query);
    const problems = validate(schema, document).map(String);
    check(problems.length === 0, `this fits the schema: ${problems} ${query}`);
    names.push(document.definitions[0].name.value);
    if (variables) JSON.parse(variables);
  }
  check(new Set(names).size === names.length, `each operation has a name of its own: ${names}`);

  const tasks = page.getByRole('navigation', { name: 'Tasks' });
  const task = (title) => tasks.getByRole('button', { name: title });
  const editor = page.locator('.graphiql-query-editor .view-lines');
  const response = page.locator('.graphiql-response .view-lines');
  await task('Find a user').click();
  await editor.filter({ hasText: 'FindUser' }).waitFor();
  await page.locator('.graphiql-editor-tool .view-lines').filter({ hasText: '"query": "lyceum"' }).first().waitFor();
  await execute(page);
  await response.filter({ hasText: 'student@lyceum.example' }).waitFor();
  await page.mouse.move(0, 0);
  await shoot(page, 'console-tasks');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'console-tasks-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await task('Dead jobs').click();
  await editor.filter({ hasText: 'DeadJobs' }).waitFor();
  await execute(page);
  await response.filter({ hasText: '"totalCount": 0' }).waitFor();
  await task('Try a dead job again').click();
  await editor.filter({ hasText: 'ReplayJob' }).waitFor();
  await execute(page);
  await response.filter({ hasText: '"replayJob": null' }).waitFor();
  // The tab with what was typed comes back.
  const open = await page.getByRole('tab').count();
  await task('Find a user').click();
  await editor.filter({ hasText: 'FindUser' }).waitFor();
  check((await page.getByRole('tab').count()) === open, 'an open task is not opened again');
  for (const path of ['/dev/mail', '/healthz', '/metrics']) {
    check((await tasks.locator(`a[href="${path}"]`).count()) === 1, `there is a link to ${path}`);
  }
  await page.getByRole('tab', { name: 'Catalog' }).click();
  await editor.filter({ hasText: 'Catalog' }).waitFor();
}

/** A reload keeps the session, also when the access token has ended meanwhile, and a running subscription outlives it. */
async function staySignedIn(page) {
  await page.reload();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'newVideo' }).waitFor();
  check(await viewer(page) === ADMIN, 'a reload keeps the session');

  const [before] = await tokens(page, 'access');
  await page.context().clearCookies({ name: before.name });
  await endAccess(page);
  await page.reload();
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Subscription', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
  check(await viewer(page) === ADMIN, 'a session whose access token has ended is refreshed');

  // The server closes a socket when its token ends: the client comes back with the next one and subscribes again.
  const closed = [];
  let subscribed = 0;
  await page.routeWebSocket('**/graphql', (socket) => {
    const server = socket.connectToServer();
    closed.push(() => socket.close({ code: 4403, reason: 'Forbidden: session expired' }));
    socket.onMessage((message) => {
      if (String(message).includes('"type":"subscribe"')) subscribed += 1;
      server.send(message);
    });
  });
  await page.reload();
  await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'newVideo' }).waitFor();
  await execute(page);
  await until(() => subscribed === 1, 'the subscription runs');
  const refreshed = page.waitForResponse(async (response) => response.request().postData()?.includes('refreshSession') && response.ok());
  closed[0]();
  await refreshed;
  await until(() => subscribed === 2, 'the subscription runs again on a new socket');
  await page.getByRole('button', { name: 'Stop query' }).click();
  check(await viewer(page) === ADMIN, 'and the session goes on');
}

/** Tabs share the session, and of several that need a new token one asks for it. */
async function twoTabs(page) {
  const other = await page.context().newPage();
  await other.goto(new URL('/console', base).href);
  await other.getByRole('button', { name: 'Sign out' }).waitFor();
  const refreshes = [];
  page.context().on('request', (request) => {
    if (request.postData()?.includes('refreshSession')) refreshes.push(request);
  });
  await endAccess(page);
  await Promise.all([page, other].flatMap((tab) => [tab, tab]).map((tab) => tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))));
  await until(() => refreshes.length > 0, 'a tab refreshes the session');
  await page.waitForTimeout(1_500);
  // Four asked. Tabs are processes that see each other's storage a moment late: on a busy machine the second tab may not
  // know yet what the first one has done.
  check(refreshes.length <= 2, `a tab refreshes the session once, not ${refreshes.length} times in all`);
  check(await viewer(other) === ADMIN && await viewer(page) === ADMIN, 'both tabs are signed in');
  await other.close();
}

/** A session that was ended elsewhere brings the form back, and signing in again brings back what was typed. */
async function loseSession(page) {
  const typed = `query Kept${Date.now()} { teamInvitations { totalCount } }`;
  await page.locator('.graphiql-query-editor .view-lines').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(typed);
  await request(page, 'mutation { signOut(input: { sessions: ALL }) { endedCount } }');
  await execute(page);
  await page.getByText('Your session has ended, please sign in again.').waitFor();
  await shoot(page, 'console-ended');

  check((await page.getByLabel('E-mail').inputValue()) === ADMIN, 'the form remembers who was signed in');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  const editor = page.locator('.graphiql-query-editor .view-lines');
  await editor.filter({ visible: true }).waitFor();
  check(plain(await editor.innerText()).includes(typed), 'the editor’s text survives the end of the session');
  await execute(page);
  await page.locator('.graphiql-response .view-lines').filter({ hasText: '"totalCount": 0' }).waitFor();
}

/** Signing out ends the session on the server, and says so when that can't be done. */
async function signOut(page) {
  const cookies = await page.context().cookies();
  const offline = (route) => route.abort();
  await page.route('**/graphql', offline);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('alert').filter({ hasText: 'You are still signed in.' }).waitFor();
  await shoot(page, 'console-offline');
  await page.unroute('**/graphql', offline);

  const other = await page.context().newPage();
  await other.goto(new URL('/console', base).href);
  await other.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const tab of [page, other]) await tab.getByLabel('Password').waitFor();
  check((await tokens(page)).length === 0, 'signing out leaves no token behind');
  check((await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('lyceum')))).length === 0, 'nor who it was');
  await other.close();
  // Whoever had copied the cookies has nothing.
  await page.context().addCookies(cookies);
  check(await viewer(page) === null, 'the session has ended on the server');
  const refreshed = await request(page, 'mutation { refreshSession(input: {}) { userErrors { code } } }');
  check(refreshed.data.refreshSession.userErrors[0]?.code === 'SESSION_OVER', 'and can’t be refreshed');
}

/** Who has a second factor is asked for it. */
async function secondFactor(page) {
  await page.reload();
  await signIn(page, ADMIN, PASSWORD);
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const started = await request(page, `mutation { startSecondFactor(input: { password: "${PASSWORD}" }) { secret } }`);
  const code = oneTimeCode(started.data.startSecondFactor.secret);
  const confirmed = await request(page, `mutation { confirmSecondFactor(input: { code: "${code}" }) { recoveryCodes } }`);
  const [recovery] = confirmed.data.confirmSecondFactor.recoveryCodes;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  await signIn(page, ADMIN, PASSWORD);
  await page.getByLabel('Code').fill('000000');
  await page.keyboard.press('Enter');
  check(/code/i.test(await alertText(page)), 'a wrong code shows an error line');
  await shoot(page, 'console-code');
  await page.getByLabel('Code').fill(recovery);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  check(await viewer(page) === ADMIN, 'the code completes the sign-in');
}

/** What an authenticator app shows now (RFC 6238). */
function oneTimeCode(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** As if the access token had been issued some minutes earlier: it is time to refresh the session. */
function endAccess(page) {
  return page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('lyceum.console.session'));
    localStorage.setItem('lyceum.console.session', JSON.stringify({ ...session, endsAt: Date.now() }));
  });
}

/** The cookies that hold tokens. */
async function tokens(page, name = '') {
  const cookies = await page.context().cookies(new URL('/graphql', base).href);
  return cookies.filter((cookie) => cookie.name.includes(`lyceum-${name}`));
}

/** An operation by the page itself, with its cookies. */
function request(page, query) {
  const send = async (query) => {
    const headers = { 'content-type': 'application/json', 'x-lyceum-csrf': '1' };
    return (await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })).json();
  };
  return page.evaluate(send, query);
}

async function viewer(page) {
  return (await request(page, '{ viewer { user { email } } }')).data.viewer?.user.email ?? null;
}

async function until(holds, what) {
  for (const deadline = Date.now() + 20_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 50))) {
    check(Date.now() < deadline, what);
  }
}

async function signIn(page, email, password) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function alertText(page) {
  await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  return page.getByRole('alert').innerText();
}

async function execute(page) {
  await page.getByRole('button', { name: 'Execute query' }).click();
}

/** Monaco writes spaces as no-break spaces. */
function plain(text) {
  return text.replaceAll('\u00a0', ' ');
}

async function shoot(page, name) {
  await page.waitForTimeout(300); // Transitions end, fonts settle.
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

function watchOrigin(page) {
  const strays = [];
  const { host } = new URL(base);
  const look = (address) => {
    const url = new URL(address);
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== host) strays.push(address);
  };
  // The context also sees what workers fetch.
  page.context().on('request', (request) => look(request.url()));
  page.on('websocket', (socket) => look(socket.url()));
  return strays;
}

function watchErrors(page) {
  const errors = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !errors.quiet) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return errors;
}

function watchSubscribe(page) {
  const subscribed = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no subscribe message was sent within a minute')), 60_000).unref();
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (!String(payload).includes('"type":"subscribe"')) return;
        clearTimeout(late);
        resolve();
      }),
    );
  });
  subscribed.catch(() => {}); // Reported where it is awaited; a failure before that must not end the process.
  return { subscribed };
}

function check(holds, what) {
  if (!holds) throw new Error(`expected: ${what}`);
}
