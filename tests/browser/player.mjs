// Plays a video from an address in Chromium, jumps to second 30, and prints what happened as JSON: the picture's size,
// how far it played, where it was after the jump, and which ranges of the file were asked for; or the media error's code.
//
//     node tests/browser/player.mjs <address>
//
// Needs `npm ci` in console/ and Chromium ($CHROMIUM, /usr/bin/chromium, or one on the PATH).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../console/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const [address] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: findChromium(),
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
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

function findChromium() {
  const candidates = [process.env.CHROMIUM, '/usr/bin/chromium'];
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    candidates.push(spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim());
  }
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error('no Chromium: set CHROMIUM to its path');
  return found;
}
