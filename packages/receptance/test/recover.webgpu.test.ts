import { webgpu } from '@receptance/backend-webgpu';
import { expect, it } from 'vitest';
import { create } from 'webgpu';
import { loseAndRecover } from './support/recovering.ts';

it('a model goes on after its GPU device was destroyed, from the states last saved', async () => {
  const devices: GPUDevice[] = [];
  const gpu = create([]);
  const device = async (): Promise<GPUDevice> => {
    const adapter = await gpu.requestAdapter();
    if (adapter === null) throw new Error('no adapter');
    const opened = await adapter.requestDevice();
    devices.push(opened);
    return opened;
  };
  const story = await loseAndRecover({
    backend: webgpu({ device, selfTest: false }),
    lose: async () => devices.at(-1)?.destroy(),
  });
  expect(story).toMatchObject({ code: 'DEVICE_LOST,DEVICE_LOST', length: 7, others: [0, 7], sameLogits: true });
  expect(story.recovered).toEqual(story.undisturbed);
  expect(devices).toHaveLength(2);
  for (const opened of devices) opened.destroy();
});
