import { suiteChecks } from '@receptance/conformance';
import { greedyGraph } from '@receptance/core';
import { expect, it } from 'vitest';
import { type PlannedDispatch, WebGpuDevice } from '../src/device.ts';
import { dispatchesOf } from '../src/index.ts';
import { PlanOnlyDevice } from './plan-only.ts';
import { openModel, withoutTest } from './support.ts';

/**
 * What every conformance case dispatches: shader, constants, access of each binding, workgroups and params, as recorded. With
 * the .wgsl files this is all that the GPU is given, so a refactoring shows exactly what it changes.
 * `npx vitest run --project backend-webgpu programs -u` records it anew.
 */
it('every case of the suite dispatches what is recorded', async () => {
  const device = await withoutTest({ subgroups: false }).open();
  if (!(device instanceof WebGpuDevice)) throw new Error('a device of another kind');
  const files = new Map<string, string[]>();
  // Comparisons of several runs, of whole models too, are made of the same ops.
  for (const check of (await suiteChecks()).filter(({ id }) => !id.startsWith('identity/'))) {
    const runs = new Set<string>();
    const planned = new PlanOnlyDevice(device, (graph, sizes, dispatches) => {
      const at = Object.entries(sizes).map(([symbol, size]) => `${symbol}=${size}`);
      runs.add([`${graph.name} ${at.join(' ')}`, ...lines(dispatches)].join('\n  '));
    });
    // Nothing is computed, so cases fail; what they would run is all that counts.
    await check.run(planned, { reference: planned });
    if (runs.size === 0) continue;
    const [file = ''] = check.id.split('/');
    files.set(file, [...(files.get(file) ?? []), `# ${check.id}\n${[...runs].join('\n')}\n`]);
  }
  await device.close();
  for (const [file, cases] of files) {
    await expect(cases.join('\n')).toMatchFileSnapshot(`programs/${file}.txt`);
  }
  expect(files.size).toBeGreaterThan(30);
});

function lines(dispatches: readonly PlannedDispatch[]): string[] {
  return dispatches.map(({ shader, workgroups, params }) => {
    const words = params.join(' ').replace(/( 0)+$/, ' 0…');
    return `${shader} · ${workgroups} [${words}]`;
  });
}

it.each(['rwkv4_l3_c64', 'rwkv5_l2_c128', 'rwkv6_l2_c128', 'rwkv7_l2_c128'])(
  'a decode step of %s dispatches what is recorded',
  async (name) => {
    const { weights, model } = await openModel(`${name}_v97.safetensors`);
    const device = await withoutTest({ subgroups: false }).open();
    const made = dispatchesOf(device, weights, greedyGraph(model), { N: 1, S: 1, R: 1, Z: 1 });
    await device.close();
    const text = made.map(({ scope, shader, workgroups }) => `${scope}: ${shader} · ${workgroups}`);
    await expect([`${made.length} in all`, ...text, ''].join('\n')).toMatchFileSnapshot(`programs/decode ${name}.txt`);
  },
);
