// Plays a video from an address in Chromium, jumps to second 30, and prints what happened as JSON: the picture's size,
// how far it played, where it was after the jump, and which ranges of the file were asked for; or the media error's code.
//
//     node tests/browser/player.mjs <address>
//
// Needs `npm ci` in console/ and Chromium ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { launch } from './chromium.mjs';

const [address] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await browser.newPage();
  const ranges = [];
  page.on('response', async (response) => {
    const range = (await response.request().allHeaders()).range;
    if (range) ranges.push({ range, status: response.status() });
  });
  // A page that is not of the store's origin: what plays is allowed by the address alone.
  await page.setContent('<!doctype html><video muted playsinline></video>');
  const seen = await page.evaluate(play, address);
  await page.waitForTimeout(200);
  console.log(JSON.stringify({ ...seen, ranges }));
} finally {
  await browser.close();
}

// Runs in the page.
async function play(address) {
  const video = document.querySelector('video');
  const heard = (name) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
  const failed = heard('error').then(() => 'error');
  const before = async (event) => (await Promise.race([event, failed])) === 'error';
  video.src = address;
  const loaded = heard('loadedmetadata');
  if (await before(loaded)) return { error: video.error.code };
  await video.play();
  while (video.currentTime < 0.3) await heard('timeupdate');
  const played = video.currentTime;
  const seeked = heard('seeked');
  video.currentTime = 30;
  if (await before(seeked)) return { error: video.error.code };
  while (video.currentTime <= 30.2) await heard('timeupdate');
  return { width: video.videoWidth, height: video.videoHeight, duration: video.duration, played, afterSeek: video.currentTime };
}
