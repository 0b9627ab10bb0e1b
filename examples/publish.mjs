// Publishes a lesson as the demo instructor: signs in, finds a draft in one of their courses, shows it to everybody.
//
//   node publish.mjs http://127.0.0.1:8080        (Node 20 or newer, nothing to install)
const base = process.argv[2] ?? 'http://127.0.0.1:8080';
let token;

async function ask(query, variables) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const body = JSON.stringify({ query, variables });
  const { data, errors } = await (await fetch(new URL('/graphql', base), { method: 'POST', headers, body })).json();
  const problem = errors?.[0] ?? Object.values(data).find((payload) => payload?.userErrors?.length)?.userErrors[0];
  if (problem) throw new Error(problem.message);
  return data;
}

/** The lessons of the viewer's courses, page by page. */
async function* ownLessons() {
  for (let after = null, more = true; more; ) {
    const { viewer } = await ask(`query ($after: String) { viewer { courses(first: 20, after: $after) {
      nodes { publishedAt lessons(first: 500) { nodes { id title status } } } pageInfo { hasNextPage endCursor } } } }`, { after });
    const published = viewer.courses.nodes.filter((course) => course.publishedAt);
    yield* published.flatMap((course) => course.lessons.nodes);
    ({ hasNextPage: more, endCursor: after } = viewer.courses.pageInfo);
  }
}

const { signIn } = await ask(`mutation ($input: SignInInput!) { signIn(input: $input) {
  accessToken userErrors { message } } }`,
{ input: { email: 'instructor@lyceum.example', password: 'learn-with-lyceum' } });
token = signIn.accessToken;
let draft;
for await (const lesson of ownLessons()) if (lesson.status === 'DRAFT') { draft = lesson; break; }
if (!draft) throw new Error('every lesson is published already');
await ask(`mutation ($input: PublishLessonInput!) { publishLesson(input: $input) { userErrors { message } } }`,
  { input: { lessonId: draft.id } });
console.log(draft.title);
