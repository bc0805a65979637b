/** The memory of a text leaves the page as a file, and goes on elsewhere. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openPage, useBackend, written } from './support/page.ts';

/** After a reload there is nothing but the file. */
const SETTINGS = { greedy: true, maxTokens: 60, keepTexts: false };

test('exported, reloaded, imported: the text goes on as it would have', async () => {
  const { page, close } = await openPage({ settings: SETTINGS });
  await written(page);
  const tokens = /(\d+) tokens in/.exec(await page.locator('.figures').innerText())?.[1];
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the state to a file' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`rwkv7-${tokens}-tokens.state.safetensors`);
  const bytes = await readFile(await file.path());
  await page.getByRole('button', { name: 'Go on' }).click();
  const uninterrupted = await written(page, 1);

  const goOnFrom = async (): Promise<string> => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open a saved state' }).click();
    await (await chooser).setFiles({ name: file.suggestedFilename(), mimeType: '', buffer: bytes });
    await page.locator('.imported').waitFor();
    expect(await page.locator('.imported').innerText()).toContain(`has read ${tokens} tokens`);
    await page.getByRole('button', { name: 'Go on' }).click();
    return written(page, 1);
  };
  await page.reload();
  await written(page);
  expect(await goOnFrom()).toBe(uninterrupted);

  // On another backend, too.
  await page.reload();
  await written(page);
  await useBackend(page, 'Reference');
  expect(await goOnFrom()).toBe(uninterrupted);
  await close();
});

test('what is no state says so, and nothing is lost', async () => {
  const { page, close } = await openPage({ settings: SETTINGS });
  const before = await written(page);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open a saved state' }).click();
  await (await chooser).setFiles({ name: 'x.state.safetensors', mimeType: '', buffer: Buffer.from('no state at all') });
  const alert = page.getByRole('alert');
  await alert.locator('strong').waitFor();
  expect(await alert.innerText()).toMatch(/saved state/);
  expect(await written(page)).toBe(before);
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  await alert.locator('strong').waitFor({ state: 'detached' });
  await close();
});
