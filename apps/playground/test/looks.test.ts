/** What everybody should be able to use, on any screen: axe, screenshots to be looked at, and how much is loaded. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { FIRST_LOAD_LIMIT } from '../size-limit.ts';
import { openModels, openPage, screenshot, written } from './support/page.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Every complaint of axe, with where it is. */
async function complaintsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}

/** Each layout and each set of colours is examined by axe once. */
const SCREENS = [
  ['desktop', true, { viewport: { width: 1280, height: 860 } }],
  ['desktop-dark', false, { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' }],
  ['mobile', false, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ['mobile-dark', true, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' }],
] as const;

describe.each(SCREENS)('%s', (name, examined, options) => {
  test('every view is without complaint, and fits', async () => {
    const { page, close } = await openPage({ ...options, settings: { maxTokens: 300, seed: 11 } });
    await written(page);
    const look = async (view: string): Promise<void> => {
      await page.screenshot({ path: screenshot(`${view}-${name}`) });
      if (examined) expect(await complaintsOf(page), view).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, view).toBeLessThanOrEqual(0);
    };
    await look('write');
    await openModels(page);
    // Every backend has been tried when the last has its verdict.
    await page.locator('.backend', { hasText: 'Reference' }).getByText(/works/).waitFor();
    await look('models');
    await page.keyboard.press('Escape');
    await page.goto(`${inject('page')}#chat`);
    await page.getByRole('textbox', { name: 'Your message' }).fill('Hello');
    await page.getByRole('button', { name: 'Send' }).click();
    await written(page);
    await look('chat');
    await page.getByRole('link', { name: 'Look inside', exact: true }).click();
    await page.locator('.strip').waitFor();
    await page.locator('.lines canvas').waitFor();
    await look('inside');
    await page.getByRole('link', { name: 'Train', exact: true }).click();
    await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
    await look('train');
    await page.getByRole('link', { name: 'Ideas' }).click();
    await page.locator('.four').waitFor();
    await look('ideas');
    await close();
  });
});

test('by keyboard alone: to the text, and a text made', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 30 } });
  await written(page);
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the text');
  await page.getByRole('textbox', { name: 'Words to go on with' }).focus();
  await page.keyboard.type(' One day');
  await page.keyboard.press('Enter');
  expect(await written(page, 1)).not.toBe('');
  await close();
});

test('the first load is within its budget', async () => {
  const { page, context, close } = await openPage({ url: 'about:blank' });
  const bodies: Promise<{ url: string; bytes: number }>[] = [];
  context.on('response', (response) => {
    // What the service worker keeps for later is not what a person waits for.
    if (response.request().serviceWorker() !== null || response.url().endsWith('.gguf')) return;
    const compressed = async () => ({
      url: response.url(),
      bytes: gzipSync(await response.body(), { level: 9 }).length,
    });
    bodies.push(compressed());
  });
  await page.goto(inject('page'));
  await page.locator('.token').first().waitFor();
  const loaded = await Promise.all(bodies);
  const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`first load: ${total} bytes compressed of ${FIRST_LOAD_LIMIT}, in ${loaded.length} files`);
  expect(loaded.length).toBeGreaterThan(4);
  expect(total).toBeLessThan(FIRST_LOAD_LIMIT);
  await close();
});
