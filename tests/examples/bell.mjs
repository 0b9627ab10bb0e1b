// Uses examples/bell in Chromium, served by Vite on a free port, over a connection that breaks:
//
//     node tests/examples/bell.mjs <base url> <screenshot dir>
//
// Ends with BELL OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and examples/, and a Chromium
// ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launch } from '../browser/chromium.mjs';
import { PASSWORD, check, file, serve, session } from './site.mjs';

const [base, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

/** What goes to the server goes through here, so that the connection can break. */
const open = new Set();
let broken = false;
const line = createServer((client) => {
  if (broken) return client.destroy();
  const server = connect(new URL(base).port, '127.0.0.1');
  for (const [from, to] of [[client, server], [server, client]]) {
    open.add(from);
    from.on('error', () => to.destroy()).on('close', () => (open.delete(from), to.destroy())).pipe(to);
  }
});
await new Promise((listening) => line.listen(0, '127.0.0.1', listening));

const [vite, browser] = await Promise.all([serve('bell', `http://127.0.0.1:${line.address().port}`), launch()]);
const page = await (await browser.newContext({ viewport: { width: 720, height: 640 } })).newPage();
page.setDefaultTimeout(20_000);
const errors = [];
page.on('pageerror', (error) => errors.push(String(error)));
try {
  await bell();
  check(errors.length === 0, `no exceptions, not: ${errors.join(' | ')}`);
  console.log('BELL OK');
} catch (error) {
  await page.screenshot({ path: join(shots, 'bell-failed.png') });
  console.error(`BELL FAILED: ${error.stack}\n${errors.join('\n')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await vite.close();
  for (const socket of open) socket.destroy();
  line.close();
}

async function bell() {
  await page.goto(vite.resolvedUrls.local[0]);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Live').waitFor();
  await page.getByRole('button', { name: /^Notifications/ }).click();
  if (await page.locator('#all').isVisible()) await page.locator('#all').click();
  await page.locator('#count').waitFor({ state: 'hidden' });

  await publish();
  await page.locator('#count').filter({ hasText: '1' }).waitFor();
  await page.locator('li.unread').first().waitFor();

  // What happens while the connection is broken is there when it is back, once.
  broken = true;
  for (const socket of open) socket.destroy();
  await page.getByText('Reconnecting').waitFor();
  await answer(2);
  broken = false;
  await page.getByText('Live').waitFor();
  await page.locator('li.unread').filter({ hasText: '2 new replies' }).waitFor();
  check((await page.locator('li.unread').count()) === 2, 'two replies to a question are one notification');
  check((await page.locator('#count').innerText()) === '2', 'and count as one');
  await page.screenshot({ path: join(shots, 'bell.png') });

  // Another device reads them.
  const other = await page.context().newPage();
  await other.goto(vite.resolvedUrls.local[0]);
  await other.getByRole('button', { name: /2 unread/ }).click();
  await other.locator('li.unread button').first().click();
  await page.locator('#count').filter({ hasText: '1' }).waitFor();
  await other.getByRole('button', { name: 'Mark all as read' }).click();
  await page.locator('#count').waitFor({ state: 'hidden' });
  check((await page.locator('li.unread').count()) === 0, 'they are read here, too');
  await other.close();
}

/** Publishes a lesson as the demo instructor, in a course that the demo student learns. */
async function publish() {
  await promisify(execFile)('node', [file('../../examples/publish.mjs'), base]);
}

/** Asks a question as the demo student, and answers it some times as an administrator. */
async function answer(times) {
  const [student, admin] = [await session(base, 'student@lyceum.example'), await session(base, 'admin@lyceum.example')];
  const learned = await student('{ viewer { enrollments(first: 1) { nodes { course { lessons(first: 1) { nodes { id } } } } } } }');
  const lessonId = learned.viewer.enrollments.nodes[0].course.lessons.nodes[0].id;
  const { createQuestion } = await student(
    'mutation ($input: CreateQuestionInput!) { createQuestion(input: $input) { question { id } userErrors { message } } }',
    { lessonId, title: 'Which edition is this about?', body: 'Mine prints *another* warning.' },
  );
  for (let left = times; left > 0; left -= 1) {
    await admin('mutation ($input: CreateReplyInput!) { createReply(input: $input) { reply { id } userErrors { message } } }',
      { parentId: createQuestion.question.id, body: `The 2024 edition (${left}).` });
  }
}
