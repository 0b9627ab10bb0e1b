// Takes a screenshot of each of the pages: `node sheets.mjs page.html picture.png …`.
import { pathToFileURL } from 'node:url';
import { launch } from './chromium.mjs';

const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, colorScheme: 'light' });
  const files = process.argv.slice(2);
  for (let at = 0; at < files.length; at += 2) {
    await page.goto(pathToFileURL(files[at]).href);
    // Each mail is as high as it is, not as its frame.
    await page.evaluate(() => {
      for (const frame of document.querySelectorAll('iframe')) {
        frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 4}px`;
      }
    });
    const wide = await page.evaluate(() => [...document.querySelectorAll('iframe')]
      .filter((frame) => frame.contentDocument.documentElement.scrollWidth > frame.clientWidth).length);
    if (wide > 0) throw new Error(`${wide} mails of ${files[at]} are wider than their frames`);
    await page.screenshot({ path: files[at + 1], fullPage: true });
  }
  console.log('SHEETS OK');
} finally {
  await browser.close();
}
