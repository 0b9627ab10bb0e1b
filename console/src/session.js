// Signing in, and where the session is kept.
//
// The access token lives in sessionStorage: it survives a reload, is not shared with other tabs or
// windows, and is gone when the tab closes. localStorage would keep an administrator's token on disk
// for whoever opens the browser next. A cookie would be sent by itself with every request to this
// origin, and so would need protection against cross-site requests, which a bearer token doesn't.

const KEY = 'lyceum.console.session';
const SIGN_IN_TIMEOUT_MS = 15_000;

const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    accessToken
    expiresAt
    user { id name role }
    userErrors { code field message }
  }
}`;

/** What the form shows when somebody can't come in; `field` is `email`, `password` or undefined. */
export class SignInError extends Error {
  constructor(message, field) {
    super(message);
    this.field = field;
  }
}

/**
 * Signs in and keeps the session. Throws a {@link SignInError} whose message is fit to show.
 * @returns {Promise<{ token: string, endsAt: number, email: string, user: { id: string, name: string, role: string } }>}
 *   `endsAt` is in milliseconds of this browser's clock.
 */
export async function signIn(email, password) {
  let response;
  let body;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body: JSON.stringify({ query: SIGN_IN, operationName: 'SignIn', variables: { input: { email, password } } }),
      signal: AbortSignal.timeout(SIGN_IN_TIMEOUT_MS),
    });
  } catch {
    throw new SignInError('The server can’t be reached. Check the connection and try again.');
  }
  try {
    body = await response.json();
  } catch {
    throw new SignInError(`The server answered with status ${response.status}. Please try again in a moment.`);
  }

  const payload = body.data?.signIn;
  const failure = payload?.userErrors?.[0] ?? body.errors?.[0];
  if (failure || !payload?.accessToken) {
    // `field` is a path into the input, as a list or with dots: its last name is the form's field.
    const field = String(failure?.field ?? '').split(/[.,]/).at(-1);
    throw new SignInError(failure?.message ?? 'Signing in failed. Please try again.', field || undefined);
  }
  const { user, accessToken: token } = payload;
  if (user.role !== 'ADMIN') {
    throw new SignInError(`The console is for administrators, and ${user.name}’s account isn’t one. Sign in with an administrator’s account.`, 'email');
  }

  // The lifetime is measured on the server's clock (its Date header): this browser's may be wrong.
  const serverNow = Date.parse(response.headers.get('date')) || Date.now();
  const endsAt = Date.now() + (Date.parse(payload.expiresAt) - serverNow);
  const session = { token, endsAt, email, user };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

/** The session that this tab kept across a reload, or null. It may have ended: see {@link hasEnded}. */
export function keptSession() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function forgetSession() {
  sessionStorage.removeItem(KEY);
}

export const hasEnded = (session) => session.endsAt <= Date.now();
