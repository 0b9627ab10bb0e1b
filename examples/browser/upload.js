// Sends a video to the store, follows its processing, and plays it: a new lesson, still a draft, of the instructor's course.
import { ask, change, sockets, viewer } from './api.js';
import { attach } from './player.js';

const [form, bar, output, video, alert] = ['form', 'progress', 'output', 'video', '[role=alert]'].map((selector) =>
  document.querySelector(selector));

const COURSES = `{ viewer { courses(first: 50) { nodes { title sections(first: 1) { nodes { id } } } } } }`;
const CREATE = `mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id url headers { name value } } userErrors { code field message } } }`;
const COMPLETE = `mutation ($input: CompleteUploadInput!) {
  completeUpload(input: $input) { upload { status } userErrors { message } } }`;
const PROGRESS = `subscription ($uploadId: ID!, $after: String) { uploadProgress(uploadId: $uploadId, after: $after) {
  cursor status videoStatus processingPercent upload { failure attachFailure attachedTo { id } } } }`;
// The addresses to play from end after a while: ask when somebody presses play, not for lists.
const PLAYBACK = `query ($id: ID!) { lesson(id: $id) {
  video { status posterUrl playback { url hlsUrl } } } }`;

function say(percent, text) {
  if (percent === null) bar.removeAttribute('value');
  else bar.value = percent;
  output.textContent = text;
}

/** The file goes to the store, not through the API. `fetch` does not tell how much of it has gone: XMLHttpRequest does. */
function send(file, { url, headers }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const { name, value } of headers) request.setRequestHeader(name, value); // They are signed.
    request.upload.onprogress = ({ loaded, total }) => say((100 * loaded) / total, 'uploading');
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`The store answered ${request.status}.`)));
    request.onerror = () => reject(new Error('The store cannot be reached.'));
    request.send(file);
  });
}

/** Follows the upload until it is attached; returns the id of the new lesson. */
async function attached(uploadId) {
  const variables = { uploadId, after: null }; // A file beyond 64 MiB goes in parts: see docs/uploads.md.
  for await (const { data, errors } of sockets.iterate({ query: PROGRESS, variables })) {
    if (errors) throw errors[0];
    const { status, videoStatus, processingPercent, upload } = data.uploadProgress;
    const failure = upload?.failure ?? upload?.attachFailure;
    if (failure) throw new Error(failure);
    if (upload?.attachedTo) return upload.attachedTo.id;
    say(processingPercent, (videoStatus ?? status).toLowerCase());
  }
  throw new Error('The upload has ended.');
}

async function play(lessonId) {
  const { data, errors } = await ask(PLAYBACK, { id: lessonId });
  const playback = data.lesson?.video?.playback;
  if (!playback) throw errors?.[0] ?? new Error('This cannot be played.');
  video.hidden = false;
  if (data.lesson.video.posterUrl) video.poster = data.lesson.video.posterUrl;
  attach(video, playback);
  await video.play();
  say(100, `playing ${playback.hlsUrl ? 'HLS' : 'the original'}`);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  alert.textContent = '';
  try {
    const file = form.file.files[0];
    const { upload } = await change('createUpload', CREATE, {
      filename: file.name,
      contentType: file.type,
      sizeBytes: file.size,
      // The server attaches it when it is processed, even if this page is closed meanwhile.
      attachTo: { newLesson: { sectionId: form.section.value, title: file.name } },
    });
    const lesson = attached(upload.id);
    lesson.catch(() => {}); // Reported below.
    await send(file, upload);
    await change('completeUpload', COMPLETE, { uploadId: upload.id });
    await play(await lesson);
  } catch (error) {
    alert.textContent = error.message;
  }
});

if (await viewer()) {
  const { data } = await ask(COURSES);
  for (const { title, sections } of data.viewer.courses.nodes) {
    if (sections.nodes.length) form.section.add(new Option(title, sections.nodes[0].id));
  }
} else {
  alert.innerHTML = 'First <a href="./cookies.html">sign in</a> as an instructor.';
}
