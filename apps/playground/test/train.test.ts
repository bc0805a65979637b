/** A model is trained in the tab. */
import { readFile } from 'node:fs/promises';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { modelOpened, openPage, pressWhen, screenshot, useBackend, written } from './support/page.ts';

const STATUS = 'article [role=status]';

/** Every step that the page is told of, from now on: what it shows of them depends on how often it draws. */
async function lossesOf(page: Page): Promise<() => Promise<number[]>> {
  await page.addInitScript(() => {
    const losses: number[] = [];
    class Heard extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        this.addEventListener('message', ({ data: { event } }) => {
          if (event?.kind === 'step') losses.push(event.loss);
        });
      }
    }
    Object.assign(globalThis, { Worker: Heard, losses });
  });
  await page.reload();
  return () => page.evaluate(() => (globalThis as unknown as { losses: number[] }).losses.splice(0));
}

/** A model that is small enough for any machine, and more steps than any is done with at once. */
async function chooseSmall(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'Steps' }).selectOption('1000');
  await page.getByRole('combobox', { name: 'Width' }).selectOption('32');
  await page.getByRole('combobox', { name: 'Layers' }).selectOption('1');
}

test('20 steps lower the loss; training pauses and goes on; the checkpoint is downloaded, and written with', async () => {
  const { page, close } = await openPage({ path: '#train', settings: { maxTokens: 20 } });
  const losses = await lossesOf(page);
  await chooseSmall(page);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: /Step \d/ });
  const goOn = page.getByRole('button', { name: 'Go on' });
  await goOn.waitFor();
  const before = (await losses()).length;
  await goOn.click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: new RegExp(`Step (?!${before} )\\d`) });
  await goOn.waitFor();
  expect((await losses()).length).toBeGreaterThan(0);

  await page.getByRole('combobox', { name: 'Steps' }).selectOption('20');
  await page.getByRole('button', { name: 'Begin anew' }).click();
  await page.locator(STATUS).getByText('Step 20 of 20').waitFor();
  const [first = 0, ...later] = await losses();
  expect(later).toHaveLength(19);
  // Nats of a byte that nothing is known of: ln 256.
  expect(first).toBeCloseTo(Math.log(256), 0);
  expect(later.at(-1)).toBeLessThan(first - 1);
  await page.locator('.lines canvas').waitFor();
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
  await page.getByRole('combobox', { name: 'Steps' }).selectOption('1000');
  await page.getByRole('radio', { name: /only the state/ }).check();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: /Step \d/ });
  await page.getByRole('button', { name: 'Write with it' }).click();
  await modelOpened(page, 'trained.safetensors');
  await close();
});

test('and so on WebGPU', async () => {
  const { page, close } = await openPage({ path: '#train', settings: { maxTokens: 20 } });
  const losses = await lossesOf(page);
  await page.locator('.top .badge').waitFor();
  await useBackend(page, 'WebGPU');
  await chooseSmall(page);
  // A short text makes short sequences: software stands in for the GPU here.
  await page.getByLabel('Text to learn').fill('The cat sat on the mat, and sat.');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await pressWhen(page, 'Pause', { selector: STATUS, pattern: /Step ([3-9]|\d\d)/ });
  await page.getByRole('button', { name: 'Write with it' }).waitFor();
  const [first = 0, ...later] = await losses();
  expect(first).toBeCloseTo(Math.log(256), 0);
  expect(later.at(-1)).toBeLessThan(first - 1);
  await close();
});
