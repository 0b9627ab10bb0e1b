// A home page, a course page and a player: `school.html`, `?course=<slug>`, `?lesson=<id>`. One request for each page,
// and another one for the discussion below the player.
import { ask } from './api.js';
import { discussion } from './discussion.js';
import { element, person, picture, text } from './elements.js';
import { attach } from './player.js';

const [main, alert] = ['main', '[role=alert]'].map((selector) => document.querySelector(selector));
const at = new URLSearchParams(location.search);

const HOME = `{
  courses(first: 12, sort: { field: POPULARITY, direction: DESC }) { totalCount nodes {
    id slug title subtitle level lessonCount price { amount currency } isFree
    thumbnail { url(width: 320) altText } instructor { id name avatar { url(width: 48) altText } } } }
  categories(first: 12) { nodes { id name courseCount } }
  viewer { id enrollments(first: 4) { nodes { id progress { percent } course { id slug title } } } } }`;
const COURSE = `query ($slug: String!) { course(slug: $slug) {
  id title subtitle descriptionHtml level language studentCount lessonCount
  thumbnail { url(width: 640) altText } instructor { id name bio avatar { url(width: 48) altText } }
  sections(first: 200) { nodes { id title lessons(first: 500) { nodes {
    id title durationSeconds isPreview viewerAccess { granted } } } } } } }`;
// The addresses to play from end after a while, so only the player asks for them.
const LESSON = `query ($id: ID!) { lesson(id: $id) {
  id title viewerAccess { granted reason } previousLesson { id title } nextLesson { id title } course { id slug title }
  content { descriptionHtml }
  video { posterUrl durationSeconds playback { url hlsUrl captions { language label url } } } } }`;

const link = (query, content) => element('a', { href: `?${new URLSearchParams(query)}`, textContent: content });
const minutes = (seconds) => (seconds === null ? '' : `${Math.ceil(seconds / 60)} min`);
const price = ({ isFree, price: { amount, currency } }) =>
  isFree ? 'Free' : new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);

/** Asks; what is refused is null, so only an answer without data is a failure. */
async function load(query, variables) {
  const { data, errors } = await ask(query, variables);
  if (!data) throw errors[0];
  return data;
}

async function home() {
  const { courses, categories, viewer } = await load(HOME);
  const card = (course) =>
    element('a', { className: 'card', href: `?course=${course.slug}` },
      picture(course.thumbnail), element('strong', { textContent: course.title }), text(course.subtitle),
      person(course.instructor), text(`${course.lessonCount} lessons · ${price(course)}`));
  const mine = viewer?.enrollments?.nodes.filter(({ course }) => course) ?? [];
  return [
    element('h1', { textContent: `${courses.totalCount} courses` }),
    element('p', {}, ...mine.map(({ course, progress }) => link({ course: course.slug }, `${course.title}: ${progress.percent} % `))),
    text(categories.nodes.map(({ name, courseCount }) => `${name} (${courseCount})`).join(' · ')),
    element('div', { className: 'cards' }, ...courses.nodes.map(card)),
  ];
}

async function course(slug) {
  const { course: found } = await load(COURSE, { slug });
  if (!found) throw new Error('There is no such course.');
  const lesson = ({ id, title, durationSeconds, isPreview, viewerAccess }) =>
    element('li', {}, viewerAccess.granted ? link({ lesson: id }, title) : title,
      element('span', { className: 'muted', textContent: ` ${minutes(durationSeconds)}${isPreview ? ' · preview' : ''}` }));
  const section = ({ title, lessons }) => [
    element('h3', { textContent: title }), element('ol', {}, ...lessons.nodes.map(lesson))];
  // `descriptionHtml` is sanitized by the server.
  const about = element('div', { innerHTML: found.descriptionHtml });
  return [
    element('nav', {}, element('a', { href: '?', textContent: 'All courses' })),
    element('h1', { textContent: found.title }), element('p', { textContent: found.subtitle }),
    element('div', { className: 'course' },
      element('div', {}, about, ...found.sections.nodes.flatMap(section)),
      element('aside', {}, picture(found.thumbnail, 'hero'), person(found.instructor), text(found.instructor.bio),
        text(`${found.lessonCount} lessons · ${found.studentCount} students · ${found.level?.toLowerCase() ?? 'all levels'}`))),
  ];
}

function player({ posterUrl, playback }) {
  const video = element('video', { controls: true, muted: true, playsInline: true, crossOrigin: 'anonymous', poster: posterUrl ?? '' });
  const track = ({ language, label, url }) =>
    element('track', { kind: 'captions', srclang: language, label, src: url, default: language === 'en' });
  video.append(...playback.captions.map(track));
  attach(video, playback);
  return video;
}

async function lesson(id) {
  const { lesson: found } = await load(LESSON, { id });
  if (!found) throw new Error('There is no such lesson.');
  const { title, video, content, viewerAccess, previousLesson, nextLesson } = found;
  const near = [previousLesson, nextLesson].filter(Boolean).map((other) => link({ lesson: other.id }, other.title));
  return [
    element('nav', {}, link({ course: found.course.slug }, found.course.title), ...near),
    element('h1', { textContent: title }),
    video?.playback ? player(video) : null,
    viewerAccess.granted ? null : text(`This lesson is not yours to see: ${viewerAccess.reason}.`),
    content && element('div', { innerHTML: content.descriptionHtml }),
    viewerAccess.granted ? discussion(id) : null,
  ];
}

try {
  const [slug, id] = [at.get('course'), at.get('lesson')];
  const page = await (id ? lesson(id) : slug ? course(slug) : home());
  main.replaceChildren(...page.filter(Boolean));
  document.title = main.querySelector('h1').textContent;
} catch (error) {
  alert.textContent = error.message;
}
