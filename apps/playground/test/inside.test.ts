/** The pictures of what goes on inside, and the page of ideas. */
import { expect, test } from 'vitest';
import { openPage, pressWhen, screenshot, useBackend } from './support/page.ts';

/** 28 tokens. */
const STORY =
  'Once upon a time, there was a happy girl named Lily. She had a red ball and two blue cups. Lily was happy.';

test('a layer is looked into: attention, states token by token, decays, costs', async () => {
  const { page, close } = await openPage({
    path: '#inside',
    settings: { maxTokens: 20, seed: 1 },
    viewport: { width: 1280, height: 1000 },
  });
  await page.locator('.strip').waitFor();
  await page.getByRole('textbox', { name: /Text/ }).fill(STORY);
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await page.getByText('Token 28 of 28').waitFor();
  expect(await page.locator('.heat canvas').count()).toBe(3);
  await page.getByText('carried from token to token: 4,096 numbers').waitFor();
  await page.getByText('406 cells computed, 3,584 numbers kept').waitFor();

  // Another token, another state; what the picture shows changes with it.
  const state = page.locator('.heat canvas').nth(2);
  const pixels = () => state.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const before = await pixels();
  await page.getByRole('slider', { name: /Token/ }).fill('4');
  await page.getByText('Token 5 of 28').waitFor();
  await expect.poll(pixels).not.toBe(before);
  await page.getByRole('button', { name: 'Walk through the text' }).click();
  await page.getByText('Token 28 of 28').waitFor();
  // It stops at the end by itself.
  await page.getByRole('button', { name: 'Walk through the text' }).waitFor();

  await page.getByLabel('Layer').selectOption('2');
  await page.locator('.lines canvas').waitFor();
  await page.getByRole('button', { name: 'Measure' }).click();
  await pressWhen(page, 'Stop', { selector: '.numbers tbody tr', least: 3 });
  await page.getByRole('button', { name: 'Measure' }).waitFor();
  expect(await page.locator('.numbers tbody').innerText()).toMatch(/64\s+[\d.]+ m?s · 173 kB\s+[\d.]+ m?s · 328 kB/);
  await page.screenshot({ path: screenshot('inside-desktop'), fullPage: true });
  await close();
});

test('so it is on WebGPU', async () => {
  const { page, close } = await openPage({ path: '#inside', settings: { maxTokens: 20, seed: 1 } });
  await page.locator('.strip').waitFor();
  const state = page.locator('.heat canvas').nth(0);
  await useBackend(page, 'WebGPU');
  await page.getByRole('textbox', { name: /Text/ }).fill('Lily had a cat. The cat sat.');
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await page.getByText('Token 15 of 15').waitFor();
  const drawn = await state.evaluate((canvas: HTMLCanvasElement) => {
    const { data = [] } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
  // The lower triangle, but for what is rounded to nothing.
  expect(drawn).toBeGreaterThan(60);
  expect(drawn).toBeLessThanOrEqual(120);
  await close();
});

test('the page of ideas computes as its sliders move', async () => {
  const { page, close } = await openPage({ path: 'ideas.html' });
  expect(await page.title()).toContain('From attention to RWKV');
  expect(await page.locator('.step').count()).toBe(6);
  expect(await page.locator('.step').first().innerText()).toContain('528 pairs');
  for (const length of ['8', '96']) {
    await page.getByRole('slider', { name: 'Length of the text' }).fill(length);
    const pairs = (Number(length) * (Number(length) + 1)) / 2;
    await page.getByText(`${pairs.toLocaleString('en')} pairs`).waitFor();
    const differences = await page.locator('.difference').allInnerTexts();
    expect(differences).toHaveLength(3);
    for (const difference of differences) expect(Number(difference)).toBeLessThan(1e-12);
  }
  const picture = page.locator('.step').last().locator('canvas');
  const before = await picture.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  await page.getByRole('slider', { name: 'Decay d' }).fill('0.9');
  await expect.poll(() => picture.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())).not.toBe(before);
  await close();
});

test('the benchmark is one link away', async () => {
  const { page, close } = await openPage({ path: 'ideas.html' });
  await page.getByRole('link', { name: 'Benchmark' }).click();
  await page.getByRole('heading', { name: 'Receptance benchmark' }).waitFor();
  expect(await page.getByRole('button', { name: 'Measure' }).isEnabled()).toBe(true);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.getByRole('link', { name: 'The playground' }).click();
  await page.locator('.top .badge').waitFor();
  await close();
});
