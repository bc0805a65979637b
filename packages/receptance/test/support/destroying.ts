import { webgpu } from '@receptance/backend-webgpu';
import { loseAndRecover, type Story } from './recovering.ts';

/** `loseAndRecover` of a WebGPU device that is destroyed under its model: another is asked for. */
export async function destroyAndRecover(
  requestAdapter: () => Promise<GPUAdapter | null>,
): Promise<{ readonly story: Story; readonly devices: readonly GPUDevice[] }> {
  const devices: GPUDevice[] = [];
  const device = async (): Promise<GPUDevice> => {
    const adapter = await requestAdapter();
    if (adapter === null) throw new Error('no adapter');
    const opened = await adapter.requestDevice();
    devices.push(opened);
    return opened;
  };
  const backend = webgpu({ device, selfTest: false });
  const story = await loseAndRecover({ backend, lose: async () => devices.at(-1)?.destroy() });
  return { story, devices };
}
