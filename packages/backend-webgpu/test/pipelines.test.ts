import { greedyGraph, plan } from '@receptance/core';
import { expect, it } from 'vitest';
import { kernels } from '../src/kernel-table.ts';
import { pipelineKey } from '../src/pipelines.ts';
import { openModel } from './support.ts';

it('a decode step of RWKV-7 is these dispatches', async () => {
  const { model } = await openModel('rwkv7_l2_c128_v97.safetensors');
  const supports = ({ op }: { readonly op: string }): true | string => op === 'reshape' || op in kernels || 'no kernel';
  const { steps } = plan(greedyGraph(model), { supports, backend: 'webgpu' }, { N: 1, S: 1, R: 1, Z: 1 });
  const lower = Object.entries(kernels);
  const keys = steps.flatMap((node) => {
    const kernel = lower.find(([op]) => op === node.op)?.[1]?.[0];
    return kernel?.lower(node.inputs, node.outputs, node.attrs).map(pipelineKey) ?? [];
  });
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  expect(
    [`${keys.length} in all`, ...[...counts].map(([key, count]) => `${count} ${key}`).sort()].join('\n'),
  ).toMatchSnapshot();
});
