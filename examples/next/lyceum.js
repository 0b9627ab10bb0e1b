// Server-side only: this server speaks to Lyceum with the visitor's access token. The browser never sees a token, only
// two cookies of this site that no script can read.

const API = new URL('/graphql', process.env.LYCEUM_URL ?? 'http://127.0.0.1:8080');
/** The next access token is fetched this long before the old one ends. */
const EARLY_SECONDS = 60;
/** For this long Lyceum takes a refresh token again whose answer may have been lost. */
const GRACE_MS = 25_000;

export const ACCESS = 'school-access';
export const REFRESH = 'school-refresh';

/** Sends an operation. Returns `{ data, errors }`, both of which there may be: a field that is refused is null. */
export async function ask(query, variables, { token, agent } = {}) {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (agent) headers['user-agent'] = agent; // Under `viewer.sessions`, people know their browsers by it.
  const response = await fetch(API, { method: 'POST', headers, body: JSON.stringify({ query, variables }), cache: 'no-store' });
  return response.json();
}

const TOKENS = 'accessToken expiresAt refreshToken refreshExpiresAt';

/** The tokens of a new session, or the error to show. */
export async function signIn(email, password, agent) {
  const query = `mutation ($input: SignInInput!) {
    signIn(input: $input) { ${TOKENS} challenge { token } userErrors { code field message } } }`;
  const { data, errors } = await ask(query, { input: { email, password } }, { agent });
  const payload = data?.signIn;
  if (payload?.challenge) return { error: 'This account has a second factor, which this example does not ask for.' };
  const problem = errors?.[0] ?? payload?.userErrors[0];
  return problem ? { error: problem.message } : { tokens: payload };
}

export async function signOut(token) {
  await ask('mutation { signOut(input: {}) { endedCount } }', {}, { token });
}

/**
 * The next pair of tokens, or null when the session is over. A refresh token is good once: a page and its data are
 * often asked for at the same time with the same cookies, and all of these requests get the one answer.
 */
export function refresh(refreshToken, agent) {
  const running = exchanges.get(refreshToken);
  if (running) return running;
  const exchange = exchangeOnce(refreshToken, agent);
  exchanges.set(refreshToken, exchange);
  setTimeout(() => exchanges.delete(refreshToken), GRACE_MS).unref();
  return exchange;
}
const exchanges = (globalThis.lyceumExchanges ??= new Map());

async function exchangeOnce(refreshToken, agent, tries = 3) {
  const query = `mutation ($input: RefreshSessionInput!) {
    refreshSession(input: $input) { ${TOKENS} userErrors { code } } }`;
  const { data } = await ask(query, { input: { refreshToken } }, { agent });
  const payload = data?.refreshSession;
  // Another process of this site was faster: a second later the same question has the same answer.
  if (payload?.userErrors[0]?.code === 'TRY_AGAIN' && tries > 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    return exchangeOnce(refreshToken, agent, tries - 1);
  }
  return payload?.accessToken ? payload : null;
}

/** Puts tokens into cookies; with null it removes them. */
export function keep(cookies, tokens) {
  const options = { httpOnly: true, sameSite: 'lax', secure: process.env.SITE_URL?.startsWith('https:') ?? false, path: '/' };
  const seconds = (until) => Math.max(0, Math.floor((Date.parse(until) - Date.now()) / 1_000));
  const access = tokens ? Math.max(1, seconds(tokens.expiresAt) - EARLY_SECONDS) : 0;
  cookies.set(ACCESS, tokens?.accessToken ?? '', { ...options, maxAge: access });
  cookies.set(REFRESH, tokens?.refreshToken ?? '', { ...options, maxAge: tokens ? seconds(tokens.refreshExpiresAt) : 0 });
}
