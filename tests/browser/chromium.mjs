// Starts Chromium for the tests: $CHROMIUM, /usr/bin/chromium, or one on the PATH. Needs `npm ci` in console/.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../console/package.json', import.meta.url));
const { chromium } = require('playwright-core');

export function launch(more = []) {
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    // Without most of these, Chromium looks up its maker's hosts at every start.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', ...more],
  });
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
