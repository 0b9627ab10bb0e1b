// The session is in two cookies that no script can read. They go along by themselves, if the page and the server have
// one host name: open both as 127.0.0.1, or both as localhost.
import { createClient } from 'graphql-ws';

export const API = import.meta.env.VITE_API ?? `http://${location.hostname}:8080`;

/** Sends an operation. Returns `{ data, errors }`, both of which there may be: a field that is refused is null. */
export async function ask(query, variables, again = true) {
  const response = await fetch(`${API}/graphql`, {
    method: 'POST',
    credentials: 'include',
    // Any value: a page of another site could not send the header, so it shows that the request is the page's own.
    headers: { 'content-type': 'application/json', 'x-lyceum-csrf': '1' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  // The access token lives for ten minutes; its cookie ends with it.
  const ended = answer.errors?.some((error) => error.extensions.code === 'UNAUTHENTICATED');
  return ended && again && (await refresh()) ? ask(query, variables, false) : answer;
}

/** A refresh token is good once, and all tabs share it: one at a time. */
export function refresh() {
  return navigator.locks.request('lyceum-refresh', async () => {
    const { data } = await ask('mutation { refreshSession(input: {}) { user { id } userErrors { code } } }', {}, false);
    // Another tab was faster by less than a second: its cookies are here, too.
    const code = data?.refreshSession?.userErrors[0]?.code;
    return code === undefined || code === 'TRY_AGAIN';
  });
}

/** The payload of a mutation; throws the first of its errors, whose message is fit to show. */
export async function change(field, query, input) {
  const { data, errors } = await ask(query, { input });
  const problem = errors?.[0] ?? data[field].userErrors[0];
  if (problem) throw new Error(problem.message);
  return data[field];
}

export async function viewer() {
  const read = async () => (await ask('{ viewer { user { id name email role } } }')).data.viewer?.user ?? null;
  // A cookie that has ended makes one anonymous, which is no error for `viewer`.
  return (await read()) ?? ((await refresh()) ? read() : null);
}

export const signIn = (email, password) =>
  change('signIn', `mutation ($input: SignInInput!) {
    signIn(input: $input) { user { id name email role } userErrors { code field message } } }`,
  { email, password, transport: 'COOKIE' });

export const signOut = () =>
  change('signOut', 'mutation ($input: SignOutInput!) { signOut(input: $input) { endedCount userErrors { message } } }', {});

/** Subscriptions; the cookies go along with the WebSocket. */
export const sockets = createClient({ url: `${API.replace('http', 'ws')}/graphql`, lazy: true });
