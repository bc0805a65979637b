/** Texts that are kept in the browser: they are there again after a reload, and go on as they would have. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { type KeptSize, MOST_STATE_BYTES, MOST_TEXT_BYTES, tooMuch } from '../src/worker/kept-sizes.ts';
import { drop, golden, modelOpened, openPage, written } from './support/page.ts';

/** Penalties, so that what was counted has to be kept, too. */
const SETTINGS = { seed: 5, maxTokens: 40, presencePenalty: 0.4, frequencyPenalty: 0.2 };

const listed = (page: Page) => page.locator('.texts li');

/** Waits until the text that was written is kept: before that it cannot be gone on with. */
const kept = (page: Page) => page.getByRole('button', { name: 'Go on' }).waitFor();

async function newText(page: Page, words: string): Promise<string> {
  await page.getByRole('button', { name: 'New text' }).click();
  await page.getByRole('textbox', { name: 'Words to go on with' }).fill(words);
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  return written(page);
}

test('a text and its branches are there after a reload, and it goes on as without one', async () => {
  const { page, close } = await openPage({ settings: SETTINGS });
  const first = await written(page);
  await page.getByRole('button', { name: 'Go on' }).click();
  const branch = await written(page, 1);
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('6');
  await page.locator('.turn').nth(1).getByRole('button', { name: 'Write this again' }).click();
  await page.getByText('2 of 2').waitFor();
  const other = await written(page, 1);
  await page.getByRole('button', { name: 'Go on' }).click();
  const wanted = await written(page, 2);
  await kept(page);

  await page.reload();
  expect([await written(page), await written(page, 1), await written(page, 2)]).toEqual([first, other, wanted]);
  // Its letters still tell how likely they were.
  expect(await page.locator('.token').count()).toBeGreaterThan(60);
  await page.locator('.turn').nth(2).getByRole('button', { name: 'Write this again' }).click();
  await page.locator('.turn').nth(2).getByText('2 of 2').waitFor();
  expect(await written(page, 2)).toBe(wanted);
  await page.locator('.turn').nth(1).getByRole('button', { name: 'The branch before' }).click();
  await page.locator('.turn').nth(1).getByText('1 of 2').waitFor();
  expect(await written(page, 1)).toBe(branch);
  await close();
});

test('texts are listed, shown, and removed; those of another model come back with it', async () => {
  const { page, close } = await openPage({ settings: { ...SETTINGS, greedy: true } });
  const first = await written(page);
  await newText(page, 'The dog');
  await page.getByRole('link', { name: 'Chat', exact: true }).click();
  await page.getByRole('textbox', { name: 'Your message' }).fill('Hello');
  await page.getByRole('button', { name: 'Send' }).click();
  await written(page);
  expect(await listed(page).allInnerTexts()).toEqual(['Hello']);
  await page.getByRole('link', { name: 'Write', exact: true }).click();
  await expect.poll(() => listed(page).allInnerTexts()).toEqual([/^The dog/, /^Once upon a time/].map(matching));

  await drop(page, golden('rwkv7_l2_c128_v97.pth'));
  await modelOpened(page, 'rwkv7_l2_c128_v97.pth');
  await expect.poll(() => listed(page).count()).toBe(0);
  await page.getByRole('textbox', { name: 'Words to go on with' }).fill('1 2 3');
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  await written(page);
  await kept(page);

  await page.reload();
  await written(page);
  expect(await listed(page).allInnerTexts()).toEqual([/^The dog/, /^Once upon a time/].map(matching));
  await listed(page).nth(1).getByRole('button').first().click();
  await expect.poll(() => written(page)).toBe(first);
  await page.getByRole('button', { name: /^Remove “The dog/ }).click();
  await expect.poll(() => listed(page).count()).toBe(1);
  await page.getByRole('link', { name: 'Chat', exact: true }).click();
  await page.locator('.words', { hasText: 'Hello' }).waitFor();

  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Remove all' }).click();
  await expect.poll(() => listed(page).count()).toBe(0);
  await page.reload();
  await modelOpened(page, 'Little stories');
  expect(await listed(page).count()).toBe(0);
  await page.getByRole('link', { name: 'Write', exact: true }).click();
  expect(await listed(page).count()).toBe(0);
  await drop(page, golden('rwkv7_l2_c128_v97.pth'));
  await modelOpened(page, 'rwkv7_l2_c128_v97.pth');
  expect(await listed(page).count()).toBe(0);
  await close();
});

test('who does not want it keeps nothing; a step without its state is read, but not gone on from', async () => {
  const { page, close } = await openPage({ settings: { ...SETTINGS, greedy: true } });
  const first = await written(page);
  await page.getByRole('checkbox', { name: 'Keep in this browser' }).uncheck();
  await page.getByRole('button', { name: 'Go on' }).click();
  await written(page, 1);
  await page.evaluate(async () => {
    const request = indexedDB.open('receptance.texts');
    await new Promise((resolve) => request.addEventListener('success', resolve));
    const transaction = request.result.transaction('states', 'readwrite');
    transaction.objectStore('states').clear();
    await new Promise((resolve) => transaction.addEventListener('complete', resolve));
    request.result.close();
  });
  await page.reload();
  expect(await written(page)).toBe(first);
  expect(await page.locator('.turn').count()).toBe(1);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('alert').getByText('the memory of this branch is no longer kept').waitFor();
  expect(await written(page)).toBe(first);
  await close();
});

test('there is an end to what is kept: the oldest texts go, and the oldest states', () => {
  const step = (id: string, textId: string, at: number, more: Partial<KeptSize> = {}): KeptSize => ({
    ...{ id, textId, at, textBytes: 1, stateBytes: 1 },
    ...more,
  });
  const few = [step('a', 'one', 1), step('b', 'two', 2), step('c', 'one', 3)];
  expect(tooMuch(few, 'one')).toEqual({ gone: [], stateless: [] });

  const large = { textBytes: MOST_TEXT_BYTES / 2 };
  const texts = [step('a', 'one', 1, large), step('b', 'two', 2, large), step('c', 'one', 3, large)];
  expect(tooMuch(texts, 'one').gone).toEqual(['b']);
  // The text that is written stays, however large it is.
  expect(tooMuch([...texts, step('d', 'one', 4, large)], 'one').gone).toEqual(['b']);
  expect(tooMuch(texts, 'two').gone).toEqual(['a', 'c']);

  const heavy = { stateBytes: MOST_STATE_BYTES / 2 };
  const states = [step('a', 'one', 1, heavy), step('b', 'two', 2, heavy), step('c', 'one', 3, heavy)];
  expect(tooMuch(states, 'one')).toEqual({ gone: [], stateless: [states[0]] });
  const huge = step('d', 'three', 4, { stateBytes: 2 * MOST_STATE_BYTES });
  expect(tooMuch([...states, huge], 'three').stateless.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
