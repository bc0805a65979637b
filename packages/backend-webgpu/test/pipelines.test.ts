import { greedyGraph } from '@receptance/core';
import { expect, it } from 'vitest';
import { WebGpuExecutable } from '../src/executable.ts';
import { pipelineKey } from '../src/pipelines.ts';
import { openModel, withoutTest } from './support.ts';

it('a decode step of RWKV-7 is these dispatches', async () => {
  const { weights, model } = await openModel('rwkv7_l2_c128_v97.safetensors');
  const device = await withoutTest({ subgroups: false }).open();
  const graph = greedyGraph(model);
  const parameters = await device.loadParameters(weights, [graph], { limits: { Z: 1 } });
  const executable = await device.compile(graph, parameters, { N: 1, S: 1, R: 1 });
  if (!(executable instanceof WebGpuExecutable)) throw new Error('an executable of another kind');
  const keys = executable.stages.map(({ program }) => pipelineKey(program));
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  expect(
    [`${keys.length} in all`, ...[...counts].map(([key, count]) => `${count} ${key}`).sort()].join('\n'),
  ).toMatchSnapshot();
  await device.close();
});
