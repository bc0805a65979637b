/** The first page: text comes by itself, and is a person's to steer. */
import { expect, test } from 'vitest';
import { openPage, pressWhen, screenshot, useBackend, written } from './support/page.ts';

/** Words, whatever they are: another seed or another model tells another story. */
const STORY = /([a-zA-Z]+[^a-zA-Z]+){5}/;

test('a story comes by itself, and each of its letters tells how likely it was', async () => {
  const { page, close } = await openPage();
  await page.locator('.token').first().waitFor();
  const first = await page.evaluate(() => performance.now());
  console.log(`the first text was there ${(first / 1000).toFixed(2)} s after the page was asked for`);
  expect(await page.title()).toContain('Receptance');
  expect(await written(page)).toMatch(STORY);
  expect(await page.locator('.top .badge').innerText()).toBe('WebAssembly');
  expect(await page.locator('.figures').innerText()).toMatch(
    /tokens\/s\s+first token after [\d.]+ m?s\s+\d+ tokens in a state of 1\d\d kB/,
  );

  // A letter: a space may be as narrow as nothing at the end of a line.
  const letter = page.locator('.token', { hasText: /\w/ }).nth(9);
  await letter.hover();
  const rivals = page.locator('.rivals');
  const chosen = rivals.locator('.chosen code');
  expect(await chosen.innerText()).toBe(visible((await letter.textContent()) ?? ''));
  expect(await rivals.locator('.rival').count()).toBe(7);
  expect(await rivals.innerText()).toMatch(/was written, at/);
  await page.mouse.move(0, 0);
  await rivals.waitFor({ state: 'detached' });

  await page.locator('.tokens').focus();
  for (const place of [0, 1, 2]) {
    await page.keyboard.press('ArrowRight');
    const token = await page.locator('.token').nth(place).textContent();
    expect(await chosen.innerText()).toBe(visible(token ?? ''));
  }
  await page.screenshot({ path: screenshot('write-desktop') });
  await page.keyboard.press('Escape');
  await rivals.waitFor({ state: 'detached' });
  await close();
});

test('a text is stopped, goes on, and branches', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 4000, seed: 7 } });
  await pressWhen(page, 'Stop', { selector: '.token', least: 31 });
  await page.getByText('stopped', { exact: true }).waitFor();
  const begun = await written(page);
  expect(begun.length).toBeGreaterThan(20);
  expect(begun.length).toBeLessThan(4000);

  await page.getByRole('spinbutton', { name: 'Seed' }).fill('3');
  await page.getByRole('textbox', { name: 'Words to go on with' }).fill(' Then Ben came.');
  await page.getByRole('slider', { name: 'Most tokens' }).fill('60');
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  const going = await written(page, 1);
  expect(await page.locator('.turn').nth(1).locator('.prompt').innerText()).toContain('Then Ben came.');

  // The same step in another way, beside the first.
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('4');
  await page.locator('.turn').nth(1).getByRole('button', { name: 'Write this again' }).click();
  await page.getByText('2 of 2').waitFor();
  const other = await written(page, 1);
  expect(other).not.toBe(going);
  await page.getByRole('button', { name: 'The branch before' }).click();
  await page.getByText('1 of 2').waitFor();
  expect(await written(page, 1)).toBe(going);
  expect(await written(page, 0)).toBe(begun);

  // A branch goes on from the state where it began: the same seed makes the same text there.
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('3');
  await page.locator('.turn').nth(1).getByRole('button', { name: 'Write this again' }).click();
  await page.getByText('3 of 3').waitFor();
  expect(await written(page, 1)).toBe(going);
  await page.locator('.turn').nth(1).getByRole('button', { name: 'Remove this step' }).click();
  await page.getByText('2 of 2').waitFor();
  await close();
});

test('a chat streams a reply, and an edited message begins a branch', async () => {
  const { page, close } = await openPage({ path: '#chat', settings: { maxTokens: 60, seed: 1 } });
  await page.locator('.top .badge').waitFor();
  const box = page.getByRole('textbox', { name: 'Your message' });
  await box.fill('Tell me about a cat.');
  await box.press('Enter');
  await written(page);
  expect(await page.locator('.words').innerText()).toBe('Tell me about a cat.');
  await page.getByRole('button', { name: 'Edit the words' }).click();
  await page.getByRole('textbox', { name: 'Edit the words' }).fill('Tell me about a dog.');
  await page.getByRole('button', { name: 'Branch here' }).click();
  await page.getByText('2 of 2').waitFor();
  await written(page);
  expect(await page.locator('.words').innerText()).toBe('Tell me about a dog.');
  await page.screenshot({ path: screenshot('chat-desktop') });
  await close();
});

test('the same seed writes the same text; greedy needs none', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 80, seed: 5, temperature: 1.2 } });
  const begun = await written(page);
  const afresh = async (): Promise<string> => {
    await page.getByRole('button', { name: 'New text' }).click();
    await page.getByRole('textbox', { name: 'Words to go on with' }).fill('Once upon a time');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    return written(page);
  };
  expect(await afresh()).toBe(begun);
  await page.getByRole('checkbox', { name: 'Always the likeliest' }).check();
  await page.getByRole('checkbox', { name: 'Show probabilities' }).uncheck();
  const greedy = await afresh();
  expect(greedy).not.toBe(begun);
  expect(await page.locator('.token').count()).toBe(0);
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('6');
  expect(await afresh()).toBe(greedy);
  await close();
});

test('the page stays alive while the model writes', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 60 } });
  await written(page);
  // The slowest of all: on no machine is it done within a few frames.
  await useBackend(page, 'Reference');
  await page.getByRole('button', { name: 'Go on' }).click();
  // A page that computed itself would let no frame through until it was done.
  const frames = await page.evaluate(async () => {
    const isWriting = (): boolean => document.querySelector('.turn[aria-busy="true"]') !== null;
    let count = 0;
    for (; isWriting() && count < 30; count++) await new Promise(requestAnimationFrame);
    return count;
  });
  expect(frames).toBeGreaterThan(3);
  await written(page, 1);
  await close();
});

function visible(token: string): string {
  return token.replaceAll(' ', '␣');
}
