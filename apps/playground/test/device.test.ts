/** Backends: what is found out about them, and what happens when a GPU goes away. */
import { expect, inject, test } from 'vitest';
import { openModels, openPage, useBackend, written } from './support/page.ts';

test('every backend has a verdict, and the choice has its reason', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 20 } });
  await written(page);
  await openModels(page);
  for (const name of ['WebAssembly', 'WebGPU', 'Reference']) {
    await page
      .locator('.backend', { hasText: name })
      .getByText(/works: .*ready in/)
      .waitFor();
  }
  expect(await page.locator('.backend', { hasText: 'WebGPU' }).innerText()).toMatch(/swiftshader/i);
  expect(await page.locator('.backend', { hasText: 'WebAssembly' }).innerText()).toMatch(/relaxed SIMD/);
  expect(await page.locator('.why').innerText()).toMatch(/Now on .* The model is so small/);
  await close();
});

test('a GPU that goes away hands the text to WebAssembly, and says so', async () => {
  const { page, close } = await openPage({ settings: { greedy: true, maxTokens: 24, probabilities: false } });
  await written(page);
  // The worker's devices, that of the self-test among them, to be taken away later.
  const worker = page.workers()[0];
  await worker?.evaluate(() => {
    const devices: GPUDevice[] = [];
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await request.apply(this, args);
      devices.push(device);
      return device;
    };
    Object.assign(globalThis, { takeAway: () => devices.forEach((device) => void device.destroy()) });
  });
  await useBackend(page, 'WebGPU');
  await page.getByRole('button', { name: 'Go on' }).click();
  const onGpu = await written(page, 1);
  await page.locator('.turn').nth(1).getByRole('button', { name: 'Remove this step' }).click();
  await worker?.evaluate(() => (globalThis as unknown as { takeAway: () => void }).takeAway());
  await page.getByRole('button', { name: 'Go on' }).click();
  const afterwards = await written(page, 1);
  expect(afterwards).toBe(onGpu);
  expect(await page.locator('.notice').innerText()).toMatch(/The GPU is gone .*goes on with WebAssembly/);
  expect(await page.locator('.top .badge').innerText()).toBe('WebAssembly');
  await close();
});

test('where the server does not isolate the page, it has one thread at first, and all of them after a reload', async () => {
  const { page, context, close } = await openPage({ url: inject('plainPage'), settings: { maxTokens: 20 } });
  await written(page);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await openModels(page);
  await page.getByText('This page runs on one thread').waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.reload();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await written(page);
  await openModels(page);
  await page
    .locator('.backend', { hasText: 'WebAssembly' })
    .getByText(/\d threads/)
    .waitFor();

  // And from then on it needs no network.
  await context.setOffline(true);
  await page.reload();
  await written(page);
  await page.getByRole('button', { name: 'Go on' }).click();
  expect(await written(page, 1)).not.toBe('');
  await close();
});
