import { cookies } from 'next/headers';
import { ACCESS, ask } from '../lyceum.js';

// One request for all that the page shows.
const HOME = `query Home {
  viewer { user { name } enrollments(first: 5) { nodes { course { id title } } } }
  courses(first: 5) { totalCount nodes { id title lessonCount instructor { name } } }
}`;

export default async function Home({ searchParams }) {
  const token = (await cookies()).get(ACCESS)?.value;
  const { data, errors } = await ask(HOME, {}, { token });
  const { error } = await searchParams;
  if (!data?.courses) return <p role="alert">{errors?.[0]?.message ?? 'The school cannot be reached.'}</p>;
  const { viewer, courses } = data;
  return (
    <main>
      <h1>My school</h1>
      {viewer ? (
        <form action="/session" method="post">
          <p>Welcome, {viewer.user.name}. You learn {viewer.enrollments?.nodes.map(({ course }) => course?.title).join(', ') || 'nothing yet'}.</p>
          <button name="leave" value="1">Sign out</button>
        </form>
      ) : (
        <form action="/session" method="post">
          <label>E-mail <input name="email" type="email" autoComplete="username" required /></label>{' '}
          <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>{' '}
          <button>Sign in</button>
          {error && <p role="alert">{error}</p>}
        </form>
      )}
      <h2>{courses.totalCount} courses</h2>
      <ul>
        {courses.nodes.map((course) => (
          <li key={course.id}>{course.title}, {course.lessonCount} lessons, by {course.instructor.name}</li>
        ))}
      </ul>
    </main>
  );
}
