// Follows new videos over HTTP and prints what it hears, at once: `start`, the titles, `complete` or `error` and a code.
//   node streams.mjs sse|multipart http://127.0.0.1:8080 [token]
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { createClient } from "graphql-sse";

const [transport, server, token] = process.argv.slice(2);
const url = `${server}/graphql`;
const headers = token ? { authorization: `Bearer ${token}` } : {};
const query = "subscription NewVideo { newVideo { cursor isStart lesson { id title } } }";

const say = (words) => process.stdout.write(`${words}\n`);
const codes = (errors) => errors.map((error) => error.extensions?.code).join();
const observer = {
  next({ data, errors, error }) {
    if (errors) say(`error ${codes(errors)}`);
    else if (error) this.error(error);
    else say(data.newVideo.isStart ? "start" : data.newVideo.lesson.title);
  },
  error(error) {
    const errors = CombinedGraphQLErrors.is(error) ? error.errors : (error.protocolErrors ?? error.errors);
    say(`error ${errors ? codes(errors) : error}`);
  },
  complete: () => say("complete"),
};

if (transport === "sse") {
  createClient({ url, headers, retryAttempts: 0 }).subscribe({ query }, observer);
} else {
  const client = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
  client.subscribe({ query: gql(query) }).subscribe(observer);
}
