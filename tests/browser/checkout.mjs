// Buys a course in the sandbox with Chromium, watches it, is refunded, and is locked out:
//
//     node tests/browser/checkout.mjs <base url> <screenshot dir>
//
// Ends with CHECKOUT OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and a Chromium.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launch } from './chromium.mjs';
import { check, session } from '../examples/site.mjs';

const [base, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const [student, admin] = [await session(base, 'student@lyceum.example'), await session(base, 'admin@lyceum.example')];
const require = createRequire(new URL('../../console/package.json', import.meta.url));
// The store does not know the origin of the page that plays.
const browser = await launch(['--disable-web-security']);
const page = await (await browser.newContext({ viewport: { width: 720, height: 640 } })).newPage();
page.setDefaultTimeout(20_000);
try {
  await buy();
  console.log('CHECKOUT OK');
} catch (error) {
  await page.screenshot({ path: join(shots, 'checkout-failed.png') });
  console.error(`CHECKOUT FAILED: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function buy() {
  const { courses } = await student(`{ courses(first: 100) { nodes { id title price { amount currency }
    viewerAccess { granted } lessons(first: 100) { nodes { id isPreview kind } } } } }`);
  const course = courses.nodes.find(({ price, viewerAccess, lessons }) =>
    Number(price.amount) > 0 && !viewerAccess.granted && lessons.nodes.some(isSold));
  check(course, 'a course that the student can buy');
  const lesson = course.lessons.nodes.find(isSold).id;
  check((await access(lesson)) === 'NOT_ENROLLED', 'the lesson is locked');

  const { createOrder } = await student(`mutation ($input: CreateOrderInput!) { createOrder(input: $input) {
    order { id number checkoutUrl } userErrors { message } } }`, {
    items: [{ courseId: course.id }],
    billing: { country: 'DE', currency: course.price.currency },
    expectedTotal: course.price,
    returnUrl: `${base}/open?id=${course.id}`,
  });
  const { id, number, checkoutUrl } = createOrder.order;
  await page.goto(checkoutUrl);
  await page.getByRole('heading', { name: course.title }).waitFor();
  await page.screenshot({ path: join(shots, 'checkout.png') });
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.locator('#state').filter({ hasText: 'PAID' }).waitFor();
  await page.locator('#back').click();
  await page.getByRole('heading', { name: 'Open what a notification is about' }).waitFor();

  await until(id, 'PAID');
  check((await access(lesson)) === 'ENTITLED', 'the lesson is open');
  const { node } = await student(`{ node(id: "${lesson}") { ... on Lesson { video { playback { hlsUrl } } } } }`);
  const player = await browser.newPage();
  await player.setContent('<!doctype html><video muted playsinline style="width: 100%"></video>');
  await player.addScriptTag({ path: require.resolve('hls.js/dist/hls.js') });
  check((await player.evaluate(play, node.video.playback.hlsUrl)) === null, 'the video plays');
  await player.screenshot({ path: join(shots, 'checkout-playing.png') });
  await admin(`mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { order { status } userErrors { message } } }`,
    { orderId: id, reason: 'Not satisfied' });
  await until(id, 'REFUNDED');
  check((await access(lesson)) === 'NOT_ENROLLED', 'the lesson is locked again');
  check((await player.evaluate(play, node.video.playback.hlsUrl)) === '403', 'the same playlist is refused');
  await page.goto(checkoutUrl);
  for (let tries = 0; !(await page.getByText('Refunded').isVisible()); tries += 1) {
    check(tries < 40, `the provider refunds order ${number}`);
    await page.waitForTimeout(500);
    await page.reload();
  }
  await page.screenshot({ path: join(shots, 'checkout-refunded.png') });
}

/** Whether a lesson is a video for those only who have bought the course. */
function isSold({ isPreview, kind }) {
  return !isPreview && kind === 'VIDEO';
}

/** Plays a playlist from its beginning; null when it plays, otherwise the status or the error. Runs in the page. */
async function play(address) {
  const answer = await fetch(address);
  if (!answer.ok) return String(answer.status);
  const video = document.querySelector('video');
  const hls = new Hls();
  const failed = new Promise((resolve) => {
    hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) resolve(error.details); });
  });
  const playing = new Promise((resolve) => {
    video.addEventListener('timeupdate', () => { if (video.currentTime > 0.2) resolve(null); });
  });
  hls.loadSource(address);
  hls.attachMedia(video);
  video.play().catch(() => {});
  const late = new Promise((resolve) => setTimeout(() => resolve('nothing happened'), 20_000));
  return Promise.race([playing, failed, late]);
}

/** Whether the student may watch a lesson, and why. */
async function access(id) {
  const { node } = await student(`{ node(id: "${id}") { ... on Lesson { viewerAccess { reason } } } }`);
  return node.viewerAccess.reason;
}

/** Waits until the order has a status. */
async function until(id, status) {
  for (let tries = 0; tries < 100; tries += 1) {
    const { node } = await student(`{ node(id: "${id}") { ... on Order { status } } }`);
    if (node.status === status) return;
    await new Promise((later) => setTimeout(later, 200));
  }
  check(false, `the order is ${status}`);
}
