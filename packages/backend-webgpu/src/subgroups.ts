import { MAP_READ, USAGE } from './memory.ts';
import { WGSL } from './shaders.gen.ts';

/** Invocations of the workgroup that is tried. */
const TRIED = 256;

/**
 * Invocations of the smallest subgroup of a device, 0 where there are none to rely on. That those of a subgroup are
 * neighbours is not promised by WebGPU: a small dispatch finds out.
 */
export async function subgroupOf(device: GPUDevice): Promise<number> {
  const { subgroupMinSize: least = 0 } = device.adapterInfo;
  if (!device.features.has('subgroups') || least < 2 || TRIED % least !== 0) return 0;
  return (await areNeighbours(device)) ? Math.min(least, 64) : 0;
}

async function areNeighbours(device: GPUDevice): Promise<boolean> {
  const module = device.createShaderModule({ code: WGSL.subgroups });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const size = TRIED * 4;
  const result = device.createBuffer({ size, usage: USAGE.storage | USAGE.copySource });
  const staging = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
  const entries = [{ binding: 0, resource: { buffer: result } }];
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(result, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(MAP_READ);
  const fits = new Uint32Array(staging.getMappedRange()).every((bit) => bit === 1);
  for (const buffer of [result, staging]) buffer.destroy();
  return fits;
}
