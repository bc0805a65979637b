/** Opens a page in Chromium and prints its text when it is done: `node open.mjs CHROMIUM URL`. */
import { chromium } from 'playwright-core';

const [executablePath, url] = process.argv.slice(2);
const args = [
  ...['--no-sandbox', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const browser = await chromium.launch({ executablePath, args, headless: true });
try {
  const page = await browser.newPage();
  const failed = new Promise((_, reject) => {
    page.on('pageerror', reject);
    page.on('requestfailed', (request) => reject(new Error(`${request.url()} was not loaded`)));
  });
  await page.goto(url);
  await Promise.race([page.waitForFunction(() => document.title === 'told', undefined, { timeout: 60_000 }), failed]);
  console.log(await page.textContent('body'));
} finally {
  await browser.close();
}
