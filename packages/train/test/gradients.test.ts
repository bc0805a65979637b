import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { detectModel, differentiate, leaves, lossGraph } from '@receptance/core';
import { expect, test } from 'vitest';
import { Engine } from '../src/engine.ts';
import { objectiveGraph } from '../src/graph/objective.ts';
import { withVariables } from '../src/graph/trained.ts';
import { numbersOf, openGolden } from './support/golden.ts';

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
