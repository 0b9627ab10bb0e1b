// Signing in, staying signed in, signing out.
//
// The tokens are in HttpOnly cookies, where no script can read them, this one included. All tabs share them, so what is
// kept here, who is signed in and until when, is shared as well: in localStorage, which holds no secret. The header
// below tells the server that a request was made by a page of its own origin.

const KEY = 'lyceum.console.session';
const LOCK = 'lyceum.console.session';
const TIMEOUT_MS = 15_000;
/** How long before the access token ends the next one is asked for. */
const EARLY_MS = 60_000;
/** After this long the server takes a refresh token again whose answer was lost. */
const RACE_MS = 1_200;
const TRIES = 3;
const ENDED = 'Your session has ended, please sign in again.';

export const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/graphql-response+json, application/json',
  'x-lyceum-csrf': '1',
};

const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { expiresAt user { id name role } challenge { token } userErrors { code field message } }
}`;
const COMPLETE = `mutation CompleteSignIn($input: CompleteSignInInput!) {
  completeSignIn(input: $input) { expiresAt user { id name role } userErrors { code field message } }
}`;
const REFRESH = `mutation Refresh {
  refreshSession(input: {}) { expiresAt user { id name role } userErrors { code message } }
}`;
const SIGN_OUT = `mutation SignOut {
  signOut(input: {}) { endedCount userErrors { message } }
}`;

/** What the form shows when somebody can't come in; `field` is `email`, `password`, `code`, `challenge` or undefined. */
export class SignInError extends Error {
  constructor(message, field) {
    super(message);
    this.field = field;
  }
}

/** The session can't go on; the message is fit to show. */
export class SessionOver extends Error {}

/** The server can't be asked now; later it may. */
class Unavailable extends Error {}

/**
 * Signs in and keeps the session. Throws a {@link SignInError} whose message is fit to show.
 * @returns {Promise<{ challenge: string } | { endsAt: number, email: string, user: { id: string, name: string, role: string } }>}
 *   `challenge` asks for the second factor: pass it to {@link completeSignIn}. `endsAt`, when the access token ends, is
 *   in milliseconds of this browser's clock.
 */
export function signIn(email, password) {
  return enter(email, 'signIn', SIGN_IN, { email, password, transport: 'COOKIE' });
}

/** The second step, with a code of the authenticator app or a recovery code. */
export function completeSignIn(email, challenge, code) {
  return enter(email, 'completeSignIn', COMPLETE, { challenge, code, transport: 'COOKIE' });
}

function enter(email, field, query, input) {
  return alone(async () => {
    const { payload, errors, now } = await call(field, query, { input }).catch((error) => {
      throw new SignInError(error.message);
    });
    if (payload?.challenge) return { challenge: payload.challenge.token };
    const failure = payload?.userErrors?.[0] ?? errors?.[0];
    if (failure || !payload?.user) {
      // `field` is a path into the input: its last name is the form's field.
      throw new SignInError(failure?.message ?? 'Signing in failed. Please try again.', failure?.field?.at(-1));
    }
    if (payload.user.role !== 'ADMIN') {
      await call('signOut', SIGN_OUT).catch(() => {});
      throw new SignInError(`The console is for administrators, and ${payload.user.name}’s account isn’t one. Sign in with an administrator’s account.`, 'email');
    }
    return keep(email, payload, now);
  });
}

/** The session of this browser, or null. It may have ended since: {@link fresh} finds out. */
export function keptSession() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** Calls `listener` with the session whenever another tab signs in, refreshes or signs out. */
export function onChange(listener) {
  const listen = (event) => (event.key === KEY || event.key === null) && listener(keptSession());
  addEventListener('storage', listen);
  return () => removeEventListener('storage', listen);
}

/** When {@link fresh} will refresh, in milliseconds from now; negative when it is due. */
export const dueIn = (session) => session.endsAt - EARLY_MS - Date.now();

/**
 * The session with an access token that is good for a while. One tab at a time refreshes it.
 * With `unlike`, a session whose token was just refused, it is refreshed unless that has happened already.
 * Throws {@link SessionOver}, or something else when the server can't be asked now.
 */
export async function fresh(unlike) {
  const good = () => {
    const session = keptSession();
    if (!session) throw new SessionOver(ENDED);
    return dueIn(session) > 0 && session.endsAt !== unlike?.endsAt ? session : null;
  };
  return good() ?? alone(async () => good() ?? refresh());
}

async function refresh() {
  const { email } = keptSession();
  for (let attempt = 1; ; attempt += 1) {
    const { payload, errors, now } = await call('refreshSession', REFRESH);
    const failure = payload?.userErrors?.[0];
    if (payload?.user?.role === 'ADMIN') return keep(email, payload, now);
    if (failure?.code === 'TRY_AGAIN' && attempt < TRIES) {
      await pause(RACE_MS);
    } else if (failure && failure.code !== 'TRY_AGAIN') {
      forget();
      throw new SessionOver(failure.code === 'NOT_ALLOWED' ? failure.message : ENDED);
    } else if (payload?.user) {
      await call('signOut', SIGN_OUT).catch(() => {});
      forget();
      throw new SessionOver('You are no longer an administrator.');
    } else {
      throw new Unavailable(errors?.[0]?.message ?? 'The session can’t be refreshed now.');
    }
  }
}

/** Ends the session on the server. Throws an error that is fit to show when that can't be done now. */
export async function signOut() {
  try {
    await fresh();
    await alone(async () => {
      const { payload, errors } = await call('signOut', SIGN_OUT);
      const over = errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED');
      if (!payload && !over) throw new Unavailable(errors?.[0]?.message ?? 'Signing out failed.');
      forget();
    });
  } catch (error) {
    if (!(error instanceof SessionOver)) throw error;
  }
}

/** One tab at a time, where the browser can (it can't on plain http from another machine); the server copes without. */
const alone = (work) => (navigator.locks ? navigator.locks.request(LOCK, work) : work());

/** The payload of a mutation, the response's errors, and the server's clock. */
async function call(field, query, variables) {
  let response;
  try {
    const body = JSON.stringify({ query, variables });
    response = await fetch('/graphql', { method: 'POST', headers: HEADERS, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Unavailable('The server can’t be reached. Check the connection and try again.');
  }
  try {
    const { data, errors } = await response.json();
    return { payload: data?.[field], errors, now: Date.parse(response.headers.get('date')) || Date.now() };
  } catch {
    throw new Unavailable(`The server answered with status ${response.status}. Please try again in a moment.`);
  }
}

/** The lifetime is measured on the server's clock (its Date header): this browser's may be wrong. */
function keep(email, { user, expiresAt }, now) {
  const session = { endsAt: Date.now() + Date.parse(expiresAt) - now, email, user };
  localStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

function forget() {
  localStorage.removeItem(KEY);
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
