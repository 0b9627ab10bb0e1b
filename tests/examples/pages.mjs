// Uses the pages of examples/browser in Chromium, served by Vite on a free port:
//
//     node tests/examples/pages.mjs <base url> <screenshot dir>
//
// Ends with EXAMPLES OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and examples/, and a
// Chromium ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../browser/chromium.mjs';
import { PASSWORD, check, file, serve, session } from './site.mjs';

const [base, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

const started = Date.now();
const [vite, browser] = await Promise.all([serve('browser', base), launch()]);
const site = vite.resolvedUrls.local[0];
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(60_000);
const errors = [];
page.on('pageerror', (error) => errors.push(String(error)));
try {
  await school();
  await cookies();
  await discussion();
  await upload();
  check(errors.length === 0, `no exceptions, not: ${errors.join(' | ')}`);
  console.log(`EXAMPLES OK ${Date.now() - started} ms`);
} catch (error) {
  await page.screenshot({ path: join(shots, 'examples-failed.png') });
  console.error(`EXAMPLES FAILED: ${error.stack}\n${errors.join('\n')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await vite.close();
}

async function cookies() {
  await page.goto(`${site}cookies.html`);
  const signIn = async (password) => {
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  await signIn('not-the-password');
  await page.getByRole('alert').filter({ hasText: 'is wrong' }).waitFor();
  await signIn(PASSWORD);
  await page.getByText('instructor@lyceum.example').waitFor();
  const own = (name) => page.context().cookies(`${base}/graphql`).then((all) => all.find((cookie) => cookie.name.includes(name)));
  const [access, refresh] = [await own('access'), await own('refresh')];
  check(access.httpOnly && refresh.httpOnly, 'no script can read the tokens');
  check((await page.evaluate(() => document.cookie)) === '', 'and none sees a cookie');
  // Ten minutes later the cookie is gone: the page gets the next ones, and two tabs exchange the token once.
  await page.context().clearCookies({ name: access.name });
  const other = await page.context().newPage();
  await Promise.all([page.reload(), other.goto(`${site}cookies.html`)]);
  for (const tab of [page, other]) await tab.getByText('instructor@lyceum.example').waitFor();
  await other.close();
  check((await own('refresh')).value !== refresh.value, 'the refresh token is another one');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  check(!(await own('refresh')), 'signing out leaves no cookie');
  await signIn(PASSWORD);
  await page.getByText('instructor@lyceum.example').waitFor();
}

/** As a visitor: from the home page over a course to a preview that plays. */
async function school() {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`${site}school.html`);
  await page.locator('.card').first().waitFor();
  await shown('school-home.png');
  check((await page.locator('.card img').count()) > 0, 'there are thumbnails');
  await page.locator('.card').first().click();
  await page.locator('.course').waitFor();
  await shown('school-course.png');
  await page.locator('.course li a').first().click();
  await page.locator('video').waitFor();
  await page.evaluate(() => document.querySelector('video').play());
  for (let tries = 0; !(await page.evaluate(() => document.querySelector('video').currentTime > 0.5)); tries += 1) {
    check(tries < 100, 'the preview plays');
    await page.waitForTimeout(100);
  }
  await shown('school-player.png');
}

/** The instructor looks at a lesson while a student asks and answers: both appear without a reload. */
async function discussion() {
  const as = await session(base, 'student@lyceum.example');
  const course = '{ viewer { enrollments(first: 1) { nodes { course { lessons(first: 1) { nodes { id } } } } } } }';
  const lessonId = (await as(course)).viewer.enrollments.nodes[0].course.lessons.nodes[0].id;
  await page.goto(`${site}school.html?lesson=${lessonId}`);
  await page.locator('.discussion [data-live]').waitFor();
  await page.evaluate(() => { window.stayed = true; });
  const body = 'In `main.rs` it works, in a *test* it does not.\n\n```rust\nassert_eq!(sum(&[1, 2]), 3);\n```';
  const { createQuestion } = await as('mutation ($input: CreateQuestionInput!) { createQuestion(input: $input) { question { id } userErrors { message } } }',
    { lessonId, title: 'Why does this not compile?', body, atSeconds: 5 });
  const asked = page.locator('.discussion article', { hasText: 'Why does this not compile?' });
  await asked.locator('code', { hasText: 'main.rs' }).waitFor();
  await as('mutation ($input: CreateReplyInput!) { createReply(input: $input) { reply { id } userErrors { message } } }',
    { parentId: createQuestion.question.id, body: 'Found it: **`use super::*`** was missing.' });
  await asked.locator('li.new strong', { hasText: 'use super' }).waitFor();
  check(await page.evaluate(() => window.stayed), 'the page was not loaded again');
  check((await page.locator('.discussion article').count()) === 1, 'the question is there once');
  await asked.scrollIntoViewIfNeeded();
  await shown('school-discussion.png');
}

/** Takes a screenshot when the pictures are there. */
async function shown(name) {
  await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
  await page.screenshot({ path: join(shots, name) });
}

async function upload() {
  await page.goto(`${site}upload.html`);
  await page.locator('option').first().waitFor({ state: 'attached' });
  await page.getByLabel('Video').setInputFiles(file('../../src/cli/seed/clips/depth/original.mp4'));
  await page.getByRole('button', { name: 'Upload' }).click();
  const said = page.locator('output').filter({ hasText: 'playing' });
  await Promise.race([
    said.waitFor(),
    page.getByRole('alert').filter({ hasText: /\S/ }).waitFor().then(async () => {
      throw new Error(`the page says: ${await page.getByRole('alert').innerText()}`);
    }),
  ]);
  const playing = () => page.evaluate(() => document.querySelector('video').currentTime > 0.2);
  for (let tries = 0; !(await playing()); tries += 1) {
    check(tries < 100, 'the video plays');
    await page.waitForTimeout(100);
  }
  console.log(await said.innerText());
  await page.screenshot({ path: join(shots, 'examples-upload.png') });
}
