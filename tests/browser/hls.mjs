// Plays an HLS playlist in Chromium with hls.js from second 100 on, four times as fast; prints a line of JSON when it
// plays, and another one when it has stopped: where, and the error of hls.js, if there was one.
//
//     node tests/browser/hls.mjs <address>
//
// Needs `npm ci` in console/ and Chromium ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { createRequire } from 'node:module';
import { launch } from './chromium.mjs';

const require = createRequire(new URL('../../console/package.json', import.meta.url));

const [address] = process.argv.slice(2);
// The test's store does not know the page's origin.
const browser = await launch(['--disable-web-security']);
try {
  const page = await browser.newPage();
  await page.setContent('<!doctype html><video muted playsinline></video>');
  await page.addScriptTag({ path: require.resolve('hls.js/dist/hls.js') });
  await page.exposeFunction('tell', (what) => console.log(JSON.stringify(what)));
  await page.evaluate(play, address);
} finally {
  await browser.close();
}

// Runs in the page.
async function play(address) {
  const video = document.querySelector('video');
  // It does not fetch far ahead, as a player does that is short of memory.
  const hls = new Hls({ startPosition: 100, maxBufferLength: 5, maxMaxBufferLength: 5 });
  const failed = new Promise((resolve) => {
    hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) resolve(error.details); });
  });
  hls.loadSource(address);
  hls.attachMedia(video);
  video.playbackRate = 4;
  const playing = new Promise((resolve) => {
    video.addEventListener('timeupdate', () => { if (video.currentTime > 101) resolve(null); });
  });
  video.play().catch(() => {});
  const early = await Promise.race([playing, failed]);
  await tell({ playing: early === null, error: early, at: video.currentTime });
  const ended = new Promise((resolve) => video.addEventListener('ended', () => resolve(null), { once: true }));
  const late = new Promise((resolve) => setTimeout(() => resolve('nothing happened'), 60_000));
  const error = await Promise.race([ended, failed, late]);
  // What it has is played to its end.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await tell({ error, at: video.currentTime });
}
