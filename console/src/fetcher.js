import { Kind, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { fresh, HEADERS, pause, SessionOver } from './session.js';

const PATH = '/graphql';
const REQUEST_TIMEOUT_MS = 60_000;
const PING_EVERY_MS = 20_000;
const RECONNECTS = 10;
// graphql-transport-ws: the server doesn't (or no longer) accept the session.
const FORBIDDEN = 4403;

/**
 * GraphiQL's way to the server: queries and mutations by POST, subscriptions by WebSocket, same path. The session's
 * cookies go with both; it is refreshed first when it is about to end.
 * `onEnd` is called with a {@link SessionOver} when the session can't go on.
 */
export function createTransport(onEnd) {
  const socketUrl = new URL(PATH, location.href);
  socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:';

  /** As {@link fresh}, and tells when it is over. */
  async function renewed(unlike) {
    try {
      return await fresh(unlike);
    } catch (error) {
      if (error instanceof SessionOver) onEnd(error);
      throw error;
    }
  }

  // The session that the socket was opened with, and the one that the server has refused since.
  let opened;
  let refused;
  let failure;
  const sockets = createClient({
    // The cookies go with the upgrade, so they are refreshed before it. This must not throw: the client would hang.
    async url() {
      failure = undefined;
      try {
        opened = await renewed(refused);
      } catch (error) {
        failure = error;
      }
      return socketUrl.href;
    },
    connectionParams() {
      if (failure) throw failure;
    },
    on: {
      // When its token ends the server closes a socket. The next one has the next token.
      closed: ({ code }) => (refused = code === FORBIDDEN ? opened : undefined),
    },
    lazy: true,
    keepAlive: PING_EVERY_MS,
    // A server that restarts is worth waiting for, a session that is over isn't.
    shouldRetry: (problem) => !(problem instanceof SessionOver),
    retryAttempts: RECONNECTS,
    retryWait: (retries) => pause((2 ** retries - 1 + Math.random()) * 1_000),
  });

  async function post(params, extraHeaders, repeatable) {
    const headers = new Headers(HEADERS);
    for (const [name, value] of new Headers(extraHeaders)) headers.set(name, value);
    // Somebody may try another token in the headers pane: this session has nothing to do with it.
    const own = !headers.has('authorization');
    let session;
    if (own) {
      try {
        session = await renewed();
      } catch (error) {
        return failed(error.message);
      }
    }

    let response;
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      response = await fetch(PATH, { method: 'POST', headers, body: JSON.stringify(params), signal });
    } catch (error) {
      return failed(error.name === 'TimeoutError' ? 'The server took more than a minute to answer.' : 'The server can’t be reached.');
    }
    const text = await response.text();
    let result;
    try {
      result = JSON.parse(text);
    } catch {
      return failed(`The server answered with status ${response.status} and no JSON: ${text.slice(0, 500)}`);
    }
    if (!own || !result.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED')) return result;
    // Ended elsewhere, or the user has another role now: refreshing tells.
    try {
      await renewed(session);
    } catch {
      return result;
    }
    return repeatable ? post(params, extraHeaders, false) : result;
  }

  function subscribe({ query, variables, operationName }) {
    const listen = (observer) => {
      const unsubscribe = sockets.subscribe(
        { query, variables, operationName },
        {
          next: (result) => observer.next(result),
          error(problem) {
            observer.next(Array.isArray(problem) ? { errors: problem } : failed(describe(problem)));
            observer.complete();
          },
          complete: () => observer.complete(),
        },
      );
      return { unsubscribe };
    };
    return { subscribe: listen };
  }

  return {
    fetcher(params, options) {
      const { kind, operationName } = chooseOperation(params);
      const request = { ...params, operationName };
      return kind === 'subscription' ? subscribe(request) : post(request, options?.headers, kind === 'query');
    },
    close: () => sockets.dispose(),
  };
}

function chooseOperation({ query, operationName }) {
  let operations;
  try {
    operations = parse(query).definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return { operationName }; // Not GraphQL: the server says what is wrong with it, better than we could.
  }
  // Right after a change of tabs GraphiQL still passes the other tab's operation name.
  const chosen = operations.length === 1 ? operations[0] : operations.find(({ name }) => name?.value === operationName);
  return { kind: chosen?.operation, operationName: chosen ? chosen.name?.value : operationName };
}

const failed = (message) => ({ errors: [{ message }] });

function describe(problem) {
  if (problem instanceof Error) return problem.message;
  const detail = [problem.code, problem.reason].filter(Boolean).join(' ');
  return `The connection for subscriptions was lost${detail && ` (${detail})`}. Run the operation again to reconnect.`;
}
