import { Kind, parse } from 'graphql';
import { createClient } from 'graphql-ws';

const PATH = '/graphql';
const REQUEST_TIMEOUT_MS = 60_000;
const PING_EVERY_MS = 20_000;
// graphql-transport-ws: the server doesn't (or no longer) accept the token.
const REFUSED = new Set([4401, 4403]);

/**
 * GraphiQL's way to the server: queries and mutations by POST, subscriptions by WebSocket, same path.
 * `onEnd` is called when the server says that the token isn't good any more.
 */
export function createTransport(token, onEnd) {
  const authorization = `Bearer ${token}`;
  const socketUrl = new URL(PATH, location.href);
  socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:';
  const sockets = createClient({
    url: socketUrl.href,
    connectionParams: { authorization },
    lazy: true,
    keepAlive: PING_EVERY_MS,
    // A server that restarts is worth waiting for, a refused token isn't.
    shouldRetry: (problem) => !REFUSED.has(problem.code),
  });

  const watch = (result) => {
    if (result?.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED')) onEnd();
    return result;
  };

  async function post(params, extraHeaders) {
    const headers = new Headers(extraHeaders);
    headers.set('content-type', 'application/json');
    headers.set('accept', 'application/graphql-response+json, application/json');
    // Somebody may try another token in the headers pane: its refusal doesn't end this session.
    const own = !headers.has('authorization');
    if (own) headers.set('authorization', authorization);

    let response;
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      response = await fetch(PATH, { method: 'POST', headers, body: JSON.stringify(params), signal });
    } catch (error) {
      return failed(error.name === 'TimeoutError' ? 'The server took more than a minute to answer.' : 'The server can’t be reached.');
    }
    const text = await response.text();
    try {
      const result = JSON.parse(text);
      return own ? watch(result) : result;
    } catch {
      return failed(`The server answered with status ${response.status} and no JSON: ${text.slice(0, 500)}`);
    }
  }

  function subscribe({ query, variables, operationName }) {
    const listen = (observer) => {
      const unsubscribe = sockets.subscribe(
        { query, variables, operationName },
        {
          next: (result) => observer.next(watch(result)),
          error(problem) {
            if (REFUSED.has(problem.code)) onEnd();
            observer.next(Array.isArray(problem) ? watch({ errors: problem }) : failed(describeClosed(problem)));
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
      return kind === 'subscription' ? subscribe(request) : post(request, options?.headers);
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

function describeClosed({ code, reason }) {
  const detail = [code, reason].filter(Boolean).join(' ');
  return `The connection for subscriptions was lost${detail && ` (${detail})`}. Run the operation again to reconnect.`;
}
