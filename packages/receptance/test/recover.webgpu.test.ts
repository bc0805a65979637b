import { expect, it } from 'vitest';
import { create } from 'webgpu';
import { destroyAndRecover } from './support/destroying.ts';

it('a model goes on after its GPU device was destroyed, from the states last saved', async () => {
  const gpu = create([]);
  const { story, devices } = await destroyAndRecover(() => gpu.requestAdapter());
  expect(story).toMatchObject({ code: 'DEVICE_LOST,DEVICE_LOST', length: 7, others: [0, 7], sameLogits: true });
  expect(story.recovered).toEqual(story.undisturbed);
  expect(devices).toHaveLength(2);
  for (const opened of devices) opened.destroy();
});
