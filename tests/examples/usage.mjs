// Uses examples/usage in Chromium, served by Vite on a free port:
//
//     node tests/examples/usage.mjs <base url> <screenshot dir>
//
// Ends with USAGE OK and code 0, or with the reason and code 1. Needs `npm ci` in console/ and examples/, and a Chromium
// ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../browser/chromium.mjs';
import { PASSWORD, check, serve, session } from './site.mjs';

const [base, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

const [vite, browser] = await Promise.all([serve('usage', base), launch()]);
const page = await (await browser.newContext({ viewport: { width: 720, height: 1000 } })).newPage();
page.setDefaultTimeout(20_000);
const errors = [];
page.on('pageerror', (error) => errors.push(String(error)));
try {
  await usage();
  check(errors.length === 0, `no exceptions, not: ${errors.join(' | ')}`);
  console.log('USAGE OK');
} catch (error) {
  await page.screenshot({ path: join(shots, 'usage-failed.png') });
  console.error(`USAGE FAILED: ${error.stack}\n${errors.join('\n')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await vite.close();
}

async function usage() {
  const [student, admin] = [await session(base, 'student@lyceum.example'), await session(base, 'admin@lyceum.example')];
  await plan(admin);
  await page.goto(vite.resolvedUrls.local[0]);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No hours', { exact: true }).waitFor();
  await page.locator('#upgrade li').filter({ hasText: 'Basic: 4 hours' }).first().waitFor();
  check(await joinOf('Class 1').isDisabled(), 'without a membership there is nothing to join');
  await page.screenshot({ path: join(shots, 'usage-none.png') });

  await buy(student);
  await page.reload();
  await left('4 of 4 hours left');
  check(await page.locator('#upgrade').isHidden(), 'plans are offered when hours run out');
  for (const [title, words] of [['Class 1', '3 of 4'], ['Class 2', '2 of 4']]) {
    await joinOf(title).click();
    await left(`${words} hours left`);
  }
  await page.getByText('Live', { exact: true }).waitFor();

  // Another device takes the rest: this page hears of it.
  const other = await page.context().newPage();
  await other.goto(vite.resolvedUrls.local[0]);
  for (const [title, words] of [['Class 3', '1 of 4'], ['Class 4', '0 of 4']]) {
    await other.getByRole('button', { name: `Join ${title}` }).click();
    await left(`${words} hours left`);
  }
  await other.close();
  await page.getByText('All hours are used until').waitFor();
  await page.getByText('Insufficient subscription hours. You have 0 hours remaining').first().waitFor();
  check(await joinOf('Class 5').isDisabled(), 'a class that the hours do not reach for cannot be joined');
  await page.locator('#upgrade li').filter({ hasText: 'Premium: 8 hours' }).first().waitFor();
  const bar = await page.locator('#bar').evaluate(({ ariaValueText }) => ariaValueText);
  check(bar === '0 attended, 4 held, 0 left', `the bar is readable, not: ${bar}`);
  check((await page.locator('#history li').count()) === 6, 'six months');
  await page.screenshot({ path: join(shots, 'usage.png') });

  await page.getByRole('button', { name: 'Leave Class 4' }).click();
  await left('1 of 4 hours left');
  await page.locator('#warning').waitFor({ state: 'hidden' });
  check(await joinOf('Class 5').isEnabled(), 'what is given back can be used');
}

function joinOf(title) {
  return page.getByRole('button', { name: `Join ${title}` });
}

function left(words) {
  return page.locator('#left').filter({ hasText: words }).waitFor();
}

/** Plans five classes at the same time, soon, each with a host of its own: in one month, unless it is about to end. */
async function plan(admin) {
  const { users } = await admin('{ users(first: 50, filter: { roles: [INSTRUCTOR, ADMIN] }) { nodes { id } } }');
  const hosts = users.nodes.slice(0, 5);
  check(hosts.length === 5, 'five hosts');
  const startsAt = new Date(Math.ceil(Date.now() / 60_000 + 20) * 60_000);
  const endsAt = new Date(startsAt.getTime() + 60 * 60_000);
  for (const [number, { id: hostId }] of hosts.entries()) {
    await admin(
      `mutation ($input: CreateLiveSessionInput!) { createLiveSession(input: $input) {
        liveSessions { id } userErrors { message } } }`,
      { hostId, title: `Class ${number + 1}`, startsAt, endsAt, capacity: 20 },
    );
  }
}

/** Orders a month of Basic, and pays it on the sandbox's page. */
async function buy(student) {
  const { plans } = await student('{ plans(first: 20) { nodes { name prices { id interval amount { amount currency } } } } }');
  const price = plans.nodes.find(({ name }) => name === 'Basic').prices.find(({ interval }) => interval === 'MONTH');
  const { createOrder } = await student(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { checkoutUrl } userErrors { message } } }',
    {
      items: [{ planPriceId: price.id }],
      billing: { country: 'DE', currency: price.amount.currency },
      expectedTotal: price.amount,
    },
  );
  const checkout = await page.context().newPage();
  await checkout.goto(createOrder.order.checkoutUrl);
  await checkout.getByRole('button', { name: 'Pay', exact: true }).click();
  await checkout.locator('#state').filter({ hasText: 'PAID' }).waitFor();
  await checkout.close();
  for (let tries = 0; (await maximum(student)) !== '4'; tries += 1) {
    check(tries < 40, 'the membership begins with the payment');
    await page.waitForTimeout(250);
  }
}

async function maximum(student) {
  const { viewer } = await student('{ viewer { subscriptionUsage { maxHoursAllowed } } }');
  return viewer.subscriptionUsage.maxHoursAllowed;
}
