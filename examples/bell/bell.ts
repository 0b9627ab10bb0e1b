// A bell with the number of unread notifications, and their list. Both are right at any time: also after a break of the
// connection, and when another device has read something.
import { createClient } from 'graphql-ws';
import { API, ask, change, signIn, viewer } from '../browser/api.js';

interface Notification {
  id: string;
  title: string;
  body: string;
  updatedAt: string;
  readAt: string | null;
}
interface Feed {
  unreadNotificationCount: number;
  notifications: { nodes: Notification[]; pageInfo: { startCursor: string | null } };
}
interface NotificationEvent {
  cursor: string;
  isStart: boolean;
  unreadCount: number;
  notification: Notification | null;
}

const FIELDS = 'id title body updatedAt readAt';
const FEED = `{ viewer { unreadNotificationCount
  notifications(first: 20) { nodes { ${FIELDS} } pageInfo { startCursor } } } }`;
const MARK = `mutation ($input: MarkNotificationsInput!) {
  markNotifications(input: $input) { unreadNotificationCount userErrors { message } } }`;
const RECEIVED = `subscription ($after: String) {
  notificationReceived(after: $after) { cursor isStart unreadCount notification { ${FIELDS} } } }`;

const find = <E extends Element>(selector: string) => document.querySelector(selector) as E;
const [form, bell, panel] = [find<HTMLFormElement>('form'), find<HTMLButtonElement>('#bell'), find<HTMLElement>('#panel')];
const [count, list, state] = [find<HTMLElement>('#count'), find<HTMLElement>('ol'), find<HTMLElement>('#state')];
const times = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** Latest first. */
let notifications: Notification[] = [];
let unread = 0;

/** Reads the list, for the first time and when it may have become another one. */
async function load() {
  const { data, errors } = await ask(FEED);
  const feed: Feed | undefined = data?.viewer;
  if (!feed?.notifications) throw new Error(errors?.[0]?.message ?? 'You are signed out.');
  notifications = feed.notifications.nodes;
  unread = feed.unreadNotificationCount;
  show();
}

async function mark(what: { ids: string[] } | { upTo: string }) {
  const { unreadNotificationCount } = await change('markNotifications', MARK, { ...what, state: 'READ' });
  unread = unreadNotificationCount;
  await load();
}

/** Follows the notifications for as long as the page is open. What happens during a break comes first after it. */
async function follow() {
  // A dead connection closes nothing by itself: without an answer to a ping it is given up.
  let silence: ReturnType<typeof setTimeout>;
  const client = createClient({
    url: `${API.replace('http', 'ws')}/graphql`,
    // Its own attempts would send the first cursor again; ours send the last one.
    retryAttempts: 0,
    keepAlive: 10_000,
    on: {
      ping: (received) => { if (!received) silence = setTimeout(() => client.terminate(), 5_000); },
      pong: (received) => { if (received) clearTimeout(silence); },
    },
  });
  let after: string | null = null;
  for (let pause = 1; ; pause = Math.min(pause * 2, 30)) {
    try {
      for await (const { data, errors } of client.iterate<{ notificationReceived: NotificationEvent }>({
        query: RECEIVED,
        variables: { after },
      })) {
        if (!data?.notificationReceived) {
          // The log does not reach back that far: begin again, with the list as it is now.
          if (errors?.some(({ extensions }) => extensions?.code === 'CURSOR_EXPIRED')) after = null;
          throw errors;
        }
        // Without a cursor the list is read when the stream has begun, so that nothing is between the two.
        if (after === null) await load();
        after = data.notificationReceived.cursor;
        pause = 1;
        state.textContent = 'Live';
        await receive(data.notificationReceived);
      }
    } catch (problem) {
      console.info('the connection was lost', problem);
    }
    state.textContent = 'Reconnecting…';
    await new Promise((resolve) => setTimeout(resolve, pause * 1_000));
  }
}

async function receive({ isStart, notification, unreadCount }: NotificationEvent) {
  unread = unreadCount;
  if (notification) {
    // Similar events are one notification, which returns to the top.
    notifications = [notification, ...notifications.filter(({ id }) => id !== notification.id)];
  } else if (!isStart) {
    // Something was read, maybe on another device.
    await load();
  }
  show();
}

function show() {
  bell.hidden = false;
  bell.setAttribute('aria-label', unread === 0 ? 'Notifications' : `Notifications, ${unread} unread`);
  count.hidden = unread === 0;
  // The server counts up to 100.
  count.textContent = unread < 100 ? String(unread) : '99+';
  document.title = unread === 0 ? 'Notifications' : `(${count.textContent}) Notifications`;
  list.replaceChildren(...notifications.map(item));
  find<HTMLElement>('#empty').hidden = notifications.length > 0;
  find<HTMLElement>('#all').hidden = unread === 0;
}

function item({ id, title, body, updatedAt, readAt }: Notification) {
  // Text is never read as HTML.
  const made = (name: string, content: string, more = {}) =>
    Object.assign(document.createElement(name), { textContent: content, ...more });
  const button = made('button', '', { type: 'button', onclick: () => attempt(() => mark({ ids: [id] })) });
  button.append(made('strong', title), made('time', ago(updatedAt), { dateTime: updatedAt }), made('span', body));
  const entry = made('li', '', { className: readAt === null ? 'unread' : '' });
  entry.append(button);
  return entry;
}

function ago(time: string) {
  const minutes = Math.round((Date.parse(time) - Date.now()) / 60_000);
  const [size, unit] = ([[1440, 'day'], [60, 'hour']] as const).find(([size]) => minutes <= -size) ?? [1, 'minute'] as const;
  return minutes === 0 ? 'now' : times.format(Math.round(minutes / size), unit);
}

async function attempt(work: () => Promise<unknown>) {
  const alert = find<HTMLElement>('[role=alert]');
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
  if (user) void follow();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form)) as Record<string, string>;
  void attempt(() => signIn(email, password).then(start));
});
bell.addEventListener('click', () => {
  panel.hidden = !panel.hidden;
  bell.setAttribute('aria-expanded', String(!panel.hidden));
});
find('#all').addEventListener('click', () => attempt(async () => {
  const { data } = await ask(FEED);
  const upTo = data.viewer.notifications.pageInfo.startCursor;
  if (upTo) await mark({ upTo });
}));
void attempt(start);
