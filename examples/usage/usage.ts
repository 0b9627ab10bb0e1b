// The hours of live classes: what is attended, held and left this month, and whether each of the next classes can be
// joined. All of it is the server's: the page computes no hours, and is right when another device takes a seat.
import { ask, change, signIn, sockets, viewer } from '../browser/api.js';

interface Usage {
  month: string;
  totalHoursAttended: string;
  heldHours: string;
  maxHoursAllowed: string;
  rolledOverHours: string;
  extraHours: string;
  remainingHours: string;
  resetsAt: string;
  warning: 'NONE' | 'NEARLY_USED' | 'USED_UP';
  upgradeOptions: { id: string; plan: { name: string; liveHoursPerMonth: string }; amount: Money; interval: string }[];
}
interface Money { amount: string; currency: string }
interface Session {
  id: string;
  title: string;
  startsAt: string;
  seatsLeft: number | null;
  meetingUrl: string | null;
  host: { name: string } | null;
  viewerEligibility: { canAttend: boolean; reason: string; message: string };
  viewerAttendance: {
    status: 'ABSENT' | 'ATTENDED' | 'HELD' | 'RELEASED' | 'WAITING';
    joinedAt: string | null;
    leftAt: string | null;
  } | null;
}

const HOURS = `month totalHoursAttended heldHours maxHoursAllowed rolledOverHours extraHours remainingHours
  resetsAt warning
  upgradeOptions { id plan { name liveHoursPerMonth } amount { amount currency } interval }`;
const PAGE = `query ($from: DateTime!) {
  viewer { subscriptionUsage { ${HOURS} } subscriptionUsageHistory(months: 6) { month totalHoursAttended } }
  liveSessions(first: 6, filter: { startsFrom: $from, statuses: [SCHEDULED, LIVE] }) { nodes {
    id title startsAt seatsLeft meetingUrl host { name }
    viewerEligibility { canAttend reason message } viewerAttendance { status joinedAt leftAt } } } }`;
const JOIN = `mutation ($input: JoinLiveSessionInput!) { joinLiveSession(input: $input) {
  eligibility { canAttend message } userErrors { message } } }`;
const LEAVE = `mutation ($input: LeaveLiveSessionInput!) { leaveLiveSession(input: $input) {
  attendance { status } userErrors { message } } }`;
/** Participants are let in from so long before the start. */
const DOORS = 15 * 60_000;
const CHANGED = `subscription ($after: String) { subscriptionUsageChanged(after: $after) { cursor } }`;

const find = <E extends HTMLElement>(selector: string) => document.querySelector(selector) as E;
const [form, main] = [find<HTMLFormElement>('form'), find('main')];
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const ofMonth = (month: string, style: 'long' | 'short') =>
  new Date(`${month}-15`).toLocaleDateString('en', { month: style, ...(style === 'long' && { year: 'numeric' }) });
const money = ({ amount, currency }: Money) => new Intl.NumberFormat('en', { style: 'currency', currency }).format(Number(amount));
/** Text is never read as HTML. */
const made = <K extends keyof HTMLElementTagNameMap>(name: K, textContent = '', more = {}) =>
  Object.assign(document.createElement(name), { textContent, ...more });

async function load() {
  // A class that is running can still be joined.
  const from = new Date(Date.now() - 60 * 60_000).toISOString();
  const { data, errors } = await ask(PAGE, { from });
  if (!data?.viewer?.subscriptionUsage) throw new Error(errors?.[0]?.message ?? 'You are signed out.');
  showUsage(data.viewer.subscriptionUsage);
  showHistory(data.viewer.subscriptionUsageHistory);
  const sessions: Session[] = data.liveSessions.nodes;
  find('#sessions').replaceChildren(...sessions.map(entry));
  find('#none').hidden = sessions.length > 0;
  wait(sessions);
  main.hidden = false;
}

function showUsage(usage: Usage) {
  const all = Number(usage.maxHoursAllowed) + Number(usage.rolledOverHours) + Number(usage.extraHours);
  find('#month').textContent = ofMonth(usage.month, 'long');
  find('#left').textContent = all > 0 ? `${usage.remainingHours} of ${all} hours left` : 'No hours';
  const bar = find('#bar');
  bar.ariaValueMax = String(all);
  bar.ariaValueNow = String(all - Number(usage.remainingHours));
  bar.ariaValueText = `${usage.totalHoursAttended} attended, ${usage.heldHours} held, ${usage.remainingHours} left`;
  for (const [name, hours] of [['.attended', usage.totalHoursAttended], ['.held', usage.heldHours]] as const) {
    find(name).style.width = all > 0 ? `${(100 * Number(hours)) / all}%` : '0';
  }
  const resets = new Date(usage.resetsAt).toLocaleDateString('en', { day: 'numeric', month: 'long' });
  find('#words').textContent = all > 0
    ? `${usage.totalHoursAttended} h attended, ${usage.heldHours} h held for classes to come. New hours on ${resets}.`
    : 'A plan with live classes gives hours for each month.';
  const warning = find('#warning');
  warning.hidden = usage.warning === 'NONE' || all === 0;
  warning.textContent = usage.warning === 'USED_UP' ? `All hours are used until ${resets}.` : 'Most of the hours are used.';
  // Plans are offered when they are wanted.
  find('#upgrade').hidden = usage.upgradeOptions.length === 0 || (usage.warning === 'NONE' && all > 0);
  find('#upgrade ul').replaceChildren(...usage.upgradeOptions.map(({ plan, amount, interval }) => {
    const item = made('li');
    const price = `${money(amount)} a ${interval.toLowerCase()}`;
    item.append(made('span', `${plan.name}: ${plan.liveHoursPerMonth} hours`), made('span', price));
    return item;
  }));
}

function showHistory(months: Pick<Usage, 'month' | 'totalHoursAttended'>[]) {
  const most = Math.max(1, ...months.map(({ totalHoursAttended }) => Number(totalHoursAttended)));
  find('#history').replaceChildren(...months.toReversed().map(({ month, totalHoursAttended }) => {
    const item = made('li');
    const column = made('i');
    column.style.height = `${(4 * Number(totalHoursAttended)) / most}rem`;
    item.append(column, made('span', `${ofMonth(month, 'short')} · ${totalHoursAttended} h`));
    return item;
  }));
}

let doors = 0;
/** Reads the page again when participants are let into the next class. */
function wait(sessions: Session[]) {
  clearTimeout(doors);
  const opens = sessions.map(({ startsAt }) => Date.parse(startsAt) - DOORS);
  const next = Math.min(...opens.filter((at) => at > Date.now()));
  // A timer cannot be set for weeks.
  if (next - Date.now() < 24 * 60 * 60_000) doors = window.setTimeout(() => attempt(load), next - Date.now());
}

function entry(session: Session) {
  const { title, startsAt, host, seatsLeft, viewerEligibility: eligibility, viewerAttendance, meetingUrl } = session;
  const holds = viewerAttendance?.status === 'HELD';
  const item = made('li');
  const seats = seatsLeft === null ? '' : ` · ${seatsLeft} seats left`;
  const act = made('span', '', { className: 'act' });
  const button = (name: string, work: (session: Session) => Promise<void>, disabled = false) => {
    const action = made('button', name, { type: 'button', disabled, onclick: () => attempt(() => work(session)) });
    action.setAttribute('aria-label', `${name} ${title}`);
    act.append(action);
  };
  // Only who has entered is shown the link, and has attended in the end.
  const isInside = viewerAttendance?.joinedAt && !viewerAttendance.leftAt;
  const isOpen = Date.parse(startsAt) - DOORS <= Date.now();
  if (holds && meetingUrl) act.append(made('a', 'Open the meeting', { href: meetingUrl, target: '_blank', rel: 'noopener' }));
  if (holds && isOpen && !isInside) button('Enter', join);
  if (holds) button('Leave', leave);
  else button('Join', join, !eligibility.canAttend);
  item.append(
    made('strong', title),
    made('span', `${day.format(new Date(startsAt))}${host ? ` · ${host.name}` : ''}${seats}`, { className: 'when' }),
    // The server says why not, in words that are fit to show.
    made('span', holds ? 'You have a seat.' : eligibility.message, { className: 'why' }),
    act,
  );
  return item;
}

/** Takes a seat, and enters as soon as participants are let in. */
async function join({ id }: Session) {
  const { eligibility } = await change('joinLiveSession', JOIN, { liveSessionId: id });
  await load();
  // What was true when the page was shown may not be anymore: the last seat went to another user.
  if (!eligibility.canAttend) throw new Error(eligibility.message);
}

async function leave({ id }: Session) {
  await change('leaveLiveSession', LEAVE, { liveSessionId: id });
  await load();
}

/** Follows the hours: each message, also the first one and the one after a break, says to read the page again. */
function follow() {
  let after: string | null = null;
  const again = () => {
    find('#state').textContent = 'Reconnecting…';
    setTimeout(begin, 2_000);
  };
  const begin = () => sockets.subscribe<{ subscriptionUsageChanged: { cursor: string } }>(
    { query: CHANGED, variables: { after } },
    {
      next: ({ data, errors }) => {
        if (errors?.some(({ extensions }) => extensions?.code === 'CURSOR_EXPIRED')) after = null;
        if (!data?.subscriptionUsageChanged) return;
        after = data.subscriptionUsageChanged.cursor;
        find('#state').textContent = 'Live';
        void attempt(load);
      },
      error: again,
      complete: again,
    },
  );
  begin();
}

async function attempt(work: () => Promise<unknown>) {
  const alert = find('[role=alert]');
  alert.textContent = '';
  try {
    await work();
  } catch (error) {
    alert.textContent = (error as Error).message;
  }
}

async function start() {
  const user = await viewer();
  form.hidden = user !== null;
  if (!user) return;
  await load();
  follow();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form)) as Record<string, string>;
  void attempt(() => signIn(email, password).then(start));
});
void attempt(start);
