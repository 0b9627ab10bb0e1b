// The questions below a lesson, and what happens to them while the page is open.
import { ask, sockets, viewer } from './api.js';
import { element, person, text } from './elements.js';

const QUESTION = `
fragment Shown on Post { id bodyHtml createdAt isByTeam voteCount author { id name avatar { url(width: 48) altText } } }
fragment Asked on Question { ...Shown title atSeconds isPinned resolvedAt acceptedReply { id }
  replies(first: 100) { nodes { ...Shown } } }`;
const QUESTIONS = `query ($id: ID!) { lesson(id: $id) {
  id questions(first: 20, sort: RECENT_ACTIVITY) { nodes { ...Asked } } } } ${QUESTION}`;
const ACTIVITY = `subscription ($id: ID!) { questionActivity(lessonId: $id) {
  isStart postId question { ...Asked } } } ${QUESTION}`;

const date = (at) => element('time', { dateTime: at, textContent: new Date(at).toLocaleDateString('en', { dateStyle: 'medium' }) });
const badge = (content, kind = '') => element('span', { className: `badge ${kind}`, textContent: content });
const votes = (count) => (count > 0 ? element('span', { className: 'votes', textContent: `▲ ${count}`, title: `${count} votes` }) : null);

/** The author and the date of a post. Of a deleted one, only the replies are left. */
function byline({ author, isByTeam, createdAt, voteCount }, ...more) {
  const name = author ?? { name: 'Deleted question', avatar: null };
  return element('header', {}, person(name), isByTeam ? badge('Instructor', 'team') : null, date(createdAt), votes(voteCount), ...more);
}

// `bodyHtml` is sanitized by the server.
const body = ({ bodyHtml }) => element('div', { className: 'body', innerHTML: bodyHtml });

function reply(post, isAccepted) {
  const accepted = isAccepted ? badge('Accepted answer', 'accepted') : null;
  return element('li', { id: post.id, className: isAccepted ? 'accepted' : '' }, byline(post, accepted), body(post));
}

/** The second of the video that a question is about: a button that goes there. */
function second(at) {
  const shown = `${Math.floor(at / 60)}:${String(at % 60).padStart(2, '0')}`;
  const seek = () => Object.assign(document.querySelector('video') ?? {}, { currentTime: at });
  return element('button', { type: 'button', textContent: shown, title: `Go to ${shown} in the video`, onclick: seek });
}

function question(post) {
  const { id, title, atSeconds, isPinned, acceptedReply, replies } = post;
  return element('article', { id },
    byline(post, isPinned ? badge('Pinned') : null, atSeconds === null ? null : second(atSeconds)),
    element('h3', { textContent: title }), body(post),
    element('ol', {}, ...replies.nodes.map((row) => reply(row, row.id === acceptedReply?.id))));
}

/** Replaces a question in the list, or adds it on top, and marks what was not there before. */
function update(list, post) {
  const [old, made] = [document.getElementById(post.id), question(post)];
  for (const row of old ? made.querySelectorAll('li') : [made]) {
    if (!document.getElementById(row.id)) row.classList.add('new');
  }
  list.querySelector(':scope > p')?.remove(); // That there are none.
  if (old) old.replaceWith(made);
  else list.prepend(made);
}

/** Returns a section that fills itself, and goes on doing so. */
export function discussion(id) {
  const heading = element('h2', { textContent: 'Questions' });
  const list = element('div', { ariaLive: 'polite' });
  const alert = element('p', { role: 'alert' });
  const load = async () => {
    const { data, errors } = await ask(QUESTIONS, { id });
    const found = data?.lesson?.questions;
    if (!found) throw errors?.[0] ?? new Error('The questions cannot be read.');
    list.replaceChildren(...(found.nodes.length ? found.nodes.map(question) : [text('No questions yet.')]));
  };
  const follow = async () => {
    if (!(await viewer())) return load(); // Visitors read; who is signed in hears of what is new.
    for await (const { data, errors } of sockets.iterate({ query: ACTIVITY, variables: { id } })) {
      if (errors) throw errors[0];
      const { isStart, postId, question: post } = data.questionActivity;
      // The stream begins before the list is read, so nothing is missed in between; also when the socket is lost, after
      // which the client subscribes again.
      if (isStart) await load();
      else if (post) update(list, post);
      else document.getElementById(postId)?.remove();
      list.dataset.live = 'true';
    }
  };
  follow().catch((error) => { alert.textContent = error.message; });
  return element('section', { className: 'discussion' }, heading, list, alert);
}
