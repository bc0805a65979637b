/** A model is trained in the tab. */
import { readFile } from 'node:fs/promises';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { expect, test } from 'vitest';
import { modelOpened, openPage, pressWhen, screenshot, written } from './support/page.ts';

const STATUS = 'article [role=status]';

test('20 steps lower the loss; training pauses and goes on; the checkpoint is downloaded, and written with', async () => {
  const { page, close } = await openPage({ path: '#train', settings: { maxTokens: 20 } });
  await page.getByLabel('Steps').selectOption('20');
  await page.getByLabel('Width').selectOption('32');
  await page.getByLabel('Layers').selectOption('1');
  const status = page.locator(STATUS);
  const losses: number[] = [];
  await page.exposeFunction('noteLoss', (loss: number) => losses.push(loss));
  await page.evaluate(() => {
    const note = (globalThis as unknown as { noteLoss: (loss: number) => void }).noteLoss;
    new MutationObserver(() => {
      const loss = /loss ([\d.]+)/.exec(document.querySelector('article [role=status]')?.textContent ?? '')?.[1];
      if (loss !== undefined) note(Number(loss));
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: /Step \d+ of 20/ });
  await page.getByRole('button', { name: 'Go on' }).click();
  await status.getByText('Step 20 of 20').waitFor();
  await page.locator('.lines canvas').waitFor();
  // Nats of a byte that nothing is known of: ln 256.
  expect(losses[0]).toBeGreaterThan(5);
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) - 1);
  await page.screenshot({ path: screenshot('train-desktop'), fullPage: true });

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the checkpoint' }).click();
  const checkpoint = await openCheckpoint(bytesSource(await readFile(await (await download).path())));
  expect(checkpoint.tensors.get('emb.weight')?.shape).toEqual([256, 32]);
  await page.getByRole('button', { name: 'Write with it' }).click();
  await modelOpened(page, 'trained.safetensors');
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  await written(page);
  await close();
});

test('the state that the open model begins with is tuned, and a text that is too short says so', async () => {
  const { page, close } = await openPage({ path: '#train', settings: { maxTokens: 20 } });
  await page.locator('.top .badge').waitFor();
  await page.getByLabel('Text to learn').fill('short');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByRole('alert').getByText('too short').waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByLabel('Text to learn').fill('Zork the robot said beep. '.repeat(40));
  await page.getByLabel('Steps').selectOption('20');
  await page.getByRole('radio', { name: /only the state/ }).check();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: /Step \d+ of 20/ });
  await page.getByRole('button', { name: 'Write with it' }).click();
  await modelOpened(page, 'trained.safetensors');
  await close();
});
