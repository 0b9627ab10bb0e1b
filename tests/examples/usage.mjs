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
  const first = await plan(admin);
  await sellExtraHours(admin);
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

  await pay(student, [{ extraHours: { hours: 2 } }], { amount: '10', currency: 'USD' });
  await left('3 of 6 hours left');
  const spent = await page.locator('#bar').evaluate((meter) => `${meter.ariaValueNow} of ${meter.ariaValueMax}`);
  check(spent === '3 of 6', `extra hours are a part of the bar, not: ${spent}`);

  // Participants are let in: who has a seat has the link once they have entered.
  const enter = page.getByRole('button', { name: 'Enter Class 1' });
  const link = page.getByRole('link', { name: 'Open the meeting' });
  check((await enter.count()) === 0, 'nothing to enter before the doors are open');
  await bringForward(admin, first, 10);
  await page.reload();
  await enter.waitFor();
  check((await link.count()) === 0, 'no link without entering');
  await enter.click();
  await link.waitFor();
  check((await link.getAttribute('href')) === 'https://meet.example/class-1', 'the link of the class that was entered');
  check((await enter.count()) === 0, 'it is entered once');
}

function joinOf(title) {
  return page.getByRole('button', { name: `Join ${title}` });
}

function left(words) {
  return page.locator('#left').filter({ hasText: words }).waitFor();
}

/**
 * Plans five classes at the same time, soon, each with a host of its own: in one month, unless it is about to end.
 * Returns the first one.
 */
async function plan(admin) {
  const { users } = await admin('{ users(first: 50, filter: { roles: [INSTRUCTOR, ADMIN] }) { nodes { id } } }');
  const hosts = users.nodes.slice(0, 5);
  check(hosts.length === 5, 'five hosts');
  const startsAt = new Date(Math.ceil(Date.now() / 60_000 + 20) * 60_000);
  const endsAt = new Date(startsAt.getTime() + 60 * 60_000);
  const planned = [];
  for (const [number, { id: hostId }] of hosts.entries()) {
    const meetingUrl = `https://meet.example/class-${number + 1}`;
    const { createLiveSession } = await admin(
      `mutation ($input: CreateLiveSessionInput!) { createLiveSession(input: $input) {
        liveSessions { id version startsAt endsAt } userErrors { message } } }`,
      { hostId, title: `Class ${number + 1}`, startsAt, endsAt, capacity: 20, meetingUrl },
    );
    planned.push(...createLiveSession.liveSessions);
  }
  return planned[0];
}

/** Moves a class so many minutes forward. */
async function bringForward(admin, { id, version, ...times }, minutes) {
  const earlier = (time) => new Date(Date.parse(time) - minutes * 60_000);
  await admin(
    `mutation ($input: UpdateLiveSessionInput!) { updateLiveSession(input: $input) {
      liveSessions { id } userErrors { message } } }`,
    { liveSessionId: id, version, startsAt: earlier(times.startsAt), endsAt: earlier(times.endsAt) },
  );
}

/** Has Basic sell two extra hours a month to those who buy it from now on. */
async function sellExtraHours(admin) {
  const { plans } = await admin(
    '{ plans(first: 20) { nodes { id name prices { interval amount { amount currency } } } } }',
  );
  const { id: planId, prices } = plans.nodes.find(({ name }) => name === 'Basic');
  const { amount, interval } = prices.find((price) => price.interval === 'MONTH');
  await admin(
    'mutation ($input: UpdatePlanInput!) { updatePlan(input: $input) { plan { id } userErrors { message } } }',
    { planId, maxExtraHours: 2 },
  );
  await admin(
    'mutation ($input: SetPlanPriceInput!) { setPlanPrice(input: $input) { plan { id } userErrors { message } } }',
    { planId, price: { amount, interval, extraHourAmount: { amount: '5', currency: amount.currency } } },
  );
}

/** Orders a month of Basic, and pays it. */
async function buy(student) {
  const { plans } = await student('{ plans(first: 20) { nodes { name prices { id interval amount { amount currency } } } } }');
  const price = plans.nodes.find(({ name }) => name === 'Basic').prices.find(({ interval }) => interval === 'MONTH');
  await pay(student, [{ planPriceId: price.id }], price.amount);
  for (let tries = 0; (await maximum(student)) !== '4'; tries += 1) {
    check(tries < 40, 'the membership begins with the payment');
    await page.waitForTimeout(250);
  }
}

/** Orders something, and pays it on the sandbox's page. */
async function pay(student, items, expectedTotal) {
  const { createOrder } = await student(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { checkoutUrl } userErrors { message } } }',
    { items, billing: { country: 'DE', currency: expectedTotal.currency }, expectedTotal },
  );
  const checkout = await page.context().newPage();
  await checkout.goto(createOrder.order.checkoutUrl);
  await checkout.getByRole('button', { name: 'Pay', exact: true }).click();
  await checkout.locator('#state').filter({ hasText: 'PAID' }).waitFor();
  await checkout.close();
}

async function maximum(student) {
  const { viewer } = await student('{ viewer { subscriptionUsage { maxHoursAllowed } } }');
  return viewer.subscriptionUsage.maxHoursAllowed;
}
