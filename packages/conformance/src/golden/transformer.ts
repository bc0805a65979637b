import { differentiate, GraphBuilder, transformer } from '@receptance/core';
import type { Case, Numbers } from '../case.ts';
import type { Tolerances } from '../compare.ts';
import { memorySource, type StoredTensor, store } from '../weights.ts';
import type { GoldenTensors } from './files.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 2e-5 } };

/** The case of a golden file of the small transformer: its logits, its loss, and all gradients. */
export async function transformerCase(id: string, golden: GoldenTensors): Promise<Case> {
  const inputs: Record<string, Numbers> = {};
  for (const name of ['tokens', 'targets']) inputs[name] = await golden.integers(`in.${name}`);
  const tensors: Record<string, StoredTensor> = {};
  for (const name of golden.names('in.').filter((input) => inputs[input] === undefined)) {
    tensors[name] = store('f32', golden.shape(`in.${name}`), await golden.floats(`in.${name}`));
  }
  const weights = memorySource(tensors);
  const outputs: Record<string, Numbers> = {};
  for (const name of golden.names('out.')) outputs[name] = await golden.floats(`out.${name}`);
  const parameters = golden.names('grad.');
  for (const name of parameters) outputs[`grad.${name}`] = await golden.floats(`grad.${name}`);

  const b = new GraphBuilder(id);
  const leaf = (name: string) => b.input(name, 'i32', golden.shape(`in.${name}`));
  const model = transformer(weights.tensors, { heads: Number(golden.metadata['heads']) });
  const logits = model.logits(b, leaf('tokens'));
  b.output('logits', logits);
  b.output('loss', b.reduce('mean', b.add('crossEntropy', { logits, targets: leaf('targets') }).y, [0]));
  const graph = differentiate(b.build(), 'loss', parameters);
  return { id, graph, sizes: {}, inputs, weights, expected: { outputs }, tolerances: TOLERANCES };
}
