// Buys a course in the sandbox with Chromium, watches it, is refunded, and is locked out:
//
//     node tests/browser/checkout.mjs <base url> <screenshot dir>
//
// Ends with CHECKOUT OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and a Chromium.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './chromium.mjs';
import { check, session } from '../examples/site.mjs';

const [base, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const [student, admin] = [await session(base, 'student@lyceum.example'), await session(base, 'admin@lyceum.example')];
const browser = await launch();
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
    viewerAccess { granted } lessons(first: 100) { nodes { id isPreview } } } } }`);
  const course = courses.nodes.find(({ price, viewerAccess, lessons }) =>
    Number(price.amount) > 0 && !viewerAccess.granted && lessons.nodes.some((lesson) => !lesson.isPreview));
  check(course, 'a course that the student can buy');
  const lesson = course.lessons.nodes.find(({ isPreview }) => !isPreview).id;
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
  await admin(`mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { order { status } userErrors { message } } }`,
    { orderId: id, reason: 'Not satisfied' });
  await until(id, 'REFUNDED');
  check((await access(lesson)) === 'NOT_ENROLLED', 'the lesson is locked again');
  await page.goto(checkoutUrl);
  for (let tries = 0; !(await page.getByText('Refunded').isVisible()); tries += 1) {
    check(tries < 40, `the provider refunds order ${number}`);
    await page.waitForTimeout(500);
    await page.reload();
  }
  await page.screenshot({ path: join(shots, 'checkout-refunded.png') });
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
