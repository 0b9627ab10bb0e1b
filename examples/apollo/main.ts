// Lists courses page by page, then signs in: node's console instead of a page.
//
//   npm run codegen -w apollo && npm start -w apollo -- http://127.0.0.1:8080
import { CombinedGraphQLErrors } from '@apollo/client';
import { createClient } from './client.ts';
import { CoursesDocument, ViewerDocument } from './generated.ts';

const { client, signIn, forgetAccessToken } = createClient(new URL('/graphql', process.argv[2] ?? 'http://127.0.0.1:8080').href);

// Typed by the document: a misspelled field does not compile.
const { data, error } = await client.query({ query: CoursesDocument, variables: { first: 2 } });
console.log(`${data?.courses?.totalCount} courses`);
for (const { node } of data?.courses?.edges ?? []) console.log(`${node.title}, ${node.lessonCount} lessons, by ${node.instructor.name}`);

// Nobody is signed in: `instructor.email` is null, and this says so. All else is there.
if (CombinedGraphQLErrors.is(error)) {
  const [{ path, extensions }] = error.errors;
  console.log(`${path?.join('.')}: ${extensions?.code}`);
}

const pageInfo = data?.courses?.pageInfo;
if (pageInfo?.hasNextPage) {
  // In a component, `fetchMore` of `useQuery` does this.
  await client.query({
    query: CoursesDocument,
    variables: { first: 2, after: pageInfo.endCursor },
    fetchPolicy: 'network-only',
  });
  const all = client.readQuery({ query: CoursesDocument, variables: { first: 2 } });
  console.log(`${all?.courses?.edges?.length} are in the cache`);
}

const wrong = await signIn('student@lyceum.example', 'not-the-password');
console.log(wrong.map(({ code }) => code).join());
await signIn('student@lyceum.example', 'learn-with-lyceum');
forgetAccessToken();
// Several at once need the next token, and it is asked for once.
const viewers = await Promise.all([1, 2, 3].map(() => client.query({ query: ViewerDocument, fetchPolicy: 'no-cache' })));
console.log(new Set(viewers.map(({ data }) => data?.viewer?.user?.email)));
client.stop();
