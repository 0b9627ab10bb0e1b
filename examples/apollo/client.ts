// A client of a Lyceum server: the cache, the session, and what to do about errors.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { relayStylePagination } from '@apollo/client/utilities';
import { RefreshDocument, SignInDocument } from './generated.ts';

// A field that the viewer may not see is null, with an error that has its path, and the rest of the answer is good.
// Apollo's default, "none", would throw all of it away.
const defaultOptions = {
  query: { errorPolicy: 'all' },
  watchQuery: { errorPolicy: 'all' },
  mutate: { errorPolicy: 'all' },
} as const;
// The same for the types of results.
declare module '@apollo/client' {
  namespace ApolloClient {
    namespace DeclareDefaultOptions {
      interface Query { errorPolicy: 'all' }
      interface WatchQuery { errorPolicy: 'all' }
      interface Mutate { errorPolicy: 'all' }
    }
  }
}

type Tokens = { accessToken: string; refreshToken: string };

export function createClient(uri: string) {
  let tokens: Tokens | null = null;
  // Without the links below: what gets a session must not wait for one.
  const bare = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache(), defaultOptions });

  /** A refresh token is good once: all operations that need a new access token wait for the same request. */
  let refreshing: Promise<Tokens | null> | null = null;
  function refresh() {
    refreshing ??= exchange().finally(() => (refreshing = null));
    return refreshing;
  }
  async function exchange() {
    if (!tokens) return null;
    const { data } = await bare.mutate({ mutation: RefreshDocument, variables: { refreshToken: tokens.refreshToken } });
    return (tokens = pair(data?.refreshSession));
  }

  const authorize = new SetContextLink(({ headers }) => ({
    headers: tokens ? { ...headers, authorization: `Bearer ${tokens.accessToken}` } : headers,
  }));
  // The access token has ended: once more with the next one.
  const retry = new ErrorLink(({ error, operation, forward }) => {
    const ended = CombinedGraphQLErrors.is(error) && error.errors.some((one) => one.extensions?.code === 'UNAUTHENTICATED');
    if (!ended || !tokens || operation.getContext().retried) return;
    operation.setContext({ retried: true });
    return new Observable((observer) => {
      refresh().then(() => forward(operation).subscribe(observer), (problem) => observer.error(problem));
    });
  });

  const client = new ApolloClient({
    link: ApolloLink.from([retry, authorize, new HttpLink({ uri })]),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { courses: relayStylePagination(['filter', 'sort']) } } } }),
    defaultOptions,
  });

  return {
    client,
    /** Signs in; returns the errors to show at the form, none when it worked. */
    async signIn(email: string, password: string) {
      const { data, error } = await bare.mutate({
        mutation: SignInDocument,
        variables: { input: { email, password } },
      });
      if (!data?.signIn) throw error ?? new Error('no answer');
      tokens = pair(data.signIn);
      // What was loaded before, was loaded as somebody else.
      await client.resetStore();
      return data.signIn.userErrors;
    },
    /** As if ten minutes had passed. */
    forgetAccessToken() {
      if (tokens) tokens.accessToken = 'expired';
    },
  };
}

function pair(payload?: { accessToken: string | null; refreshToken: string | null } | null): Tokens | null {
  return payload?.accessToken && payload.refreshToken
    ? { accessToken: payload.accessToken, refreshToken: payload.refreshToken }
    : null;
}
