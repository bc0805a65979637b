import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { detectModel, differentiate, type HostArray, leaves, lossGraph } from '@receptance/core';
import { expect, test } from 'vitest';
import { Engine } from '../src/engine.ts';
import { objectiveGraph } from '../src/graph/objective.ts';
import { withVariables } from '../src/graph/trained.ts';
import { ARCHITECTURES, initialWeights } from '../src/index.ts';
import { numbersOf, openGolden } from './support/golden.ts';
import { SMALL } from './support/small.ts';

const CASES = ['rwkv4_l3_c64_v97', 'rwkv7_l2_c128_v97'].flatMap((model) => [
  { model, backend: reference(), bound: 1e-9 },
  { model, backend: wasm(), bound: 1e-4 },
]);

test.each(CASES)('$backend.name: the gradients of $model are those of PyTorch', async ({ model, backend, bound }) => {
  const golden = await openGolden(`${model}.grads.safetensors`);
  const weights = await openGolden(`${model}.safetensors`);
  const language = detectModel(weights.tensors);
  const names = new Set(leaves(lossGraph(language), 'parameter').keys());
  const objective = withVariables(objectiveGraph(language, { l2Wrap: 0 }), names);
  const graph = differentiate(objective, 'objective', [...names]);
  const device = await backend.open();
  const parameters = await device.loadParameters(weights, [graph]);
  const [sequences, length] = [2, 32];
  const engine = new Engine({ device, parameters, sequences, length });
  const batch = {
    tokens: Int32Array.from(await numbersOf(golden, 'idx')),
    targets: Int32Array.from(await numbersOf(golden, 'tgt')),
    fresh: new Float32Array(sequences),
    counted: sequences * length,
  };
  const seen = new Set<string>();
  const scalars = { scale: 1 / batch.counted };
  for await (const [name, numbers] of engine.outputs(await engine.compile(graph), batch, scalars)) {
    if (name === 'loss') expect(numbers[0]).toBeCloseTo((await numbersOf(golden, 'loss'))[0] ?? 0, 4);
    if (!name.startsWith('grad.')) continue;
    seen.add(name);
    // The goldens are stored in f32.
    const [got, want] = [Float32Array.from(numbers), await numbersOf(golden, name)];
    const difference = Math.hypot(...got.map((x, i) => x - (want[i] ?? Number.NaN)));
    expect(difference / Math.hypot(...want), name).toBeLessThanOrEqual(bound);
  }
  expect(seen.size).toBe(names.size);
  await Promise.all([device.close(), golden.close(), weights.close()]);
});

test.each(ARCHITECTURES)('%s: what is made again for the backward part changes no bit', async (architecture) => {
  const source = initialWeights({ ...SMALL, architecture, width: 64, headSize: 32 }, 5);
  const language = detectModel(source.tensors);
  const names = new Set(leaves(lossGraph(language), 'parameter').keys());
  const objective = withVariables(objectiveGraph(language, { l2Wrap: 1e-4 }), names);
  const [kept, again] = [false, true].map((rematerialise) =>
    differentiate(objective, 'objective', [...names], { rematerialise }),
  );
  if (kept === undefined || again === undefined) throw new Error('two graphs');
  const device = await wasm({ threads: 1 }).open();
  const parameters = await device.loadParameters(source, [kept]);
  const [sequences, length] = [2, 48];
  const engine = new Engine({ device, parameters, sequences, length });
  const tokens = Int32Array.from({ length: sequences * length }, (_, i) => (i * i) % 64);
  const batch = { tokens, targets: tokens.toReversed(), fresh: new Float32Array(sequences), counted: tokens.length };
  const [first, second] = [await engine.compile(kept), await engine.compile(again)];
  expect(second.memory.bufferBytes).toBeLessThan(0.8 * first.memory.bufferBytes);
  const want = new Map<string, HostArray>();
  for await (const [name, numbers] of engine.outputs(first, batch, { scale: 1 / batch.counted }))
    want.set(name, numbers);
  for await (const [name, numbers] of engine.outputs(second, batch, { scale: 1 / batch.counted })) {
    expect(numbers, name).toEqual(want.get(name));
  }
  expect(want.size).toBe(names.size + 2);
  await device.close();
});
