import { GraphBuilder, type Shape, type Value } from '@receptance/core';
import { expect, it } from 'vitest';
import { kernels } from '../src/kernel-table.ts';
import { lowerModel } from '../src/lowering/model.ts';

const C = 4;

/** Nodes of reading so many tokens in RWKV-4's memory where there is no `Scan`. */
function nodesOf(lengths: readonly number[], isTrained = false): readonly string[] {
  const b = new GraphBuilder('memory');
  const input = (name: string, shape: Shape): Value => b.input(name, 'f32', shape);
  const inputs = {
    ...{ w: input('w', [C]), u: input('u', [C]), k: input('k', ['N', C]), v: input('v', ['N', C]) },
    ...{ aa0: input('aa', ['S', C]), bb0: input('bb', ['S', C]), pp0: input('pp', ['S', C]) },
    starts: b.input('starts', 'i32', ['S+1']),
  };
  const { y, aa, bb, pp } = b.add('wkv4', inputs);
  const made = isTrained
    ? b.add('wkv4Grad', { ...inputs, gy: input('gy', ['N', C]), gaa: aa, gbb: bb, gpp: pp })
    : { y, aa, bb, pp };
  for (const [name, value] of Object.entries(made)) b.output(name, value);
  const N = lengths.reduce((sum, length) => sum + length, 0);
  const even = lengths.every((length) => length === lengths[0]);
  const { model } = lowerModel({
    graph: b.build(),
    kernels,
    info: { backend: 'onnx', adapter: '', threads: 1, float: 'f32', ragged: true },
    data: { file: 'weights', middles: new Map(), tensors: new Map() },
    target: {
      ...{ form: even ? 'even' : 'ragged', provider: 'webgpu', standard: false },
      ...{ recurrence: 'attention', activations: 'exact' },
    },
    fixed: { N, S: lengths.length },
    lengths: { starts: lengths },
  });
  return model.graph.nodes.map(({ op }) => op);
}

it('nodes that read a text, and those that train on it, grow with the logarithm of its length', () => {
  const [few, twice] = [nodesOf([127]), nodesOf([255])];
  expect(few).not.toContain('Scan');
  expect(twice.length).toBe(184);
  expect(twice.length - few.length).toBe(18);
  const trained = nodesOf([255], true);
  expect(trained).not.toContain('Scan');
  // With its states a second time.
  expect(trained.length - nodesOf([127], true).length).toBe(3 * 18);
});

it('lengths of sequences are in the file, not computed', () => {
  const nodes = nodesOf([5, 0, 2]);
  for (const op of ['Range', 'Equal', 'Less', 'Where', 'Scan']) expect(nodes).not.toContain(op);
});
