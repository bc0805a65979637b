import { randomRwkv7 } from '@receptance/conformance';
import { detectModel, greedyGraph, leaves, plan, supportedBy } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { kernels } from '../src/kernel-table.ts';
import { Block } from '../src/lowering/block.ts';
import { lowerModel } from '../src/lowering/model.ts';
import type { StoredTensor } from '../src/lowering/stored.ts';
import type { GraphData, Port } from '../src/proto/model.ts';

function port(name: string): Port {
  return { name, type: 'float32' };
}

/** Nodes as they read: `y = Neg(x)`. */
function linesOf({ nodes }: GraphData): string[] {
  return nodes.map(({ op, inputs, outputs }) => `${outputs.join(', ')} = ${op}(${inputs.join(', ')})`);
}

describe('a graph that is tidied', () => {
  it('makes outputs where they go, and copies what has two or is none of its own', () => {
    const b = new Block();
    const x = b.input(port('x'));
    const y = b.op('Neg', [x]);
    const z = b.op('Exp', [y]);
    b.output(y, port('first'));
    b.output(y, port('second'));
    b.output(x, port('same'));
    b.output(z, port('third'));
    expect(linesOf(b.finish('g'))).toEqual([
      'first = Neg(x)',
      'third = Exp(first)',
      'second = Identity(first)',
      'same = Identity(x)',
    ]);
  });

  it('renames what subgraphs see', () => {
    const b = new Block();
    const y = b.op('Neg', [b.input(port('x'))]);
    const body = b.inner();
    body.output(body.op('Exp', [y]), port('inside'));
    const looped = b.op('Loop', [], { body: { graph: body.finish('body') } });
    b.output(looped, port('z'));
    b.output(y, port('y'));
    const { nodes } = b.finish('g');
    const inner = nodes[1]?.attributes['body'];
    expect(inner !== undefined && 'graph' in inner ? linesOf(inner.graph) : []).toEqual(['inside = Exp(y)']);
  });

  it('looks through views to what lies behind', () => {
    const b = new Block();
    const heads = b.op('Reshape', [b.input(port('x')), b.ints([1, 2, 3])]);
    const column = b.op('Unsqueeze', [heads, b.ints([-1])]);
    const flat = b.op('Reshape', [b.op('Squeeze', [b.op('Exp', [column]), b.ints([3])]), b.ints([1, 6])]);
    b.output(flat, port('y'));
    const { nodes, initializers } = b.finish('g');
    expect(nodes.map(({ op }) => op)).toEqual(['Reshape', 'Exp', 'Reshape']);
    const shapes = nodes.map(({ inputs: [, shape] }) => initializers.find(({ name }) => name === shape)?.data);
    expect(shapes[0]).toEqual(new Uint8Array(BigInt64Array.of(1n, 2n, 3n, 1n).buffer));
    expect(nodes[2]?.inputs[0]).toBe(nodes[1]?.outputs[0]);
  });

  it('counts axes from either end, those of one view together', () => {
    const b = new Block();
    const heads = b.op('Reshape', [b.input(port('x')), b.ints([4, 2, 3])]);
    const wide = b.op('Unsqueeze', [heads, b.ints([0, -1])]);
    const narrow = b.op('Squeeze', [wide, b.ints([-1])]);
    b.output(b.op('Exp', [b.op('Unsqueeze', [narrow, b.ints([-3])])]), port('y'));
    const { nodes, initializers } = b.finish('g');
    expect(nodes.map(({ op }) => op)).toEqual(['Reshape', 'Exp']);
    const { data } = initializers.find(({ name }) => name === nodes[0]?.inputs[1]) ?? {};
    expect(data).toEqual(new Uint8Array(BigInt64Array.of(1n, 4n, 1n, 2n, 3n).buffer));
  });

  it('leaves views alone whose shape is not known', () => {
    const b = new Block();
    const shape = b.input({ name: 'shape', type: 'int64' });
    const view = b.op('Unsqueeze', [b.op('Reshape', [b.input(port('x')), shape]), b.ints([0])]);
    b.output(b.op('Reshape', [view, b.ints([0, -1])]), port('y'));
    expect(b.finish('g').nodes.map(({ op }) => op)).toEqual(['Reshape', 'Unsqueeze', 'Reshape']);
  });

  it('leaves out what nothing needs', () => {
    const b = new Block();
    const x = b.input(port('x'));
    b.op('Add', [b.op('Neg', [x]), b.floats([7])]);
    b.output(b.op('Exp', [x]), port('y'));
    const { nodes, initializers } = b.finish('g');
    expect(nodes.map(({ op }) => op)).toEqual(['Exp']);
    expect(initializers).toEqual([]);
  });
});

/** Nodes of a greedy step of one text. */
function stepOf(layers: number): readonly string[] {
  const shape = { heads: 2, headSize: 32, ffn: 64, ranks: { w: 8, a: 8, v: 8, g: 8 }, vocabulary: 10 };
  const { tensors } = randomRwkv7({ ...shape, layers, seed: 'nodes' });
  const info = { backend: 'onnx', adapter: '', threads: 1, float: 'f32', ragged: true } as const;
  const fixed = { N: 1, S: 1, R: 1, Z: 1 };
  const supports = (node: Parameters<typeof supportedBy>[2]): true | string => supportedBy(kernels, info, node);
  const { graph } = plan(greedyGraph(detectModel(tensors)), { supports, backend: 'onnx' }, fixed);
  const stored = [...leaves(graph, 'parameter')].map(([name, value]): [string, StoredTensor] => [
    name,
    { kind: 'plain', turned: false, type: 'float32', shape: value.shape.map(Number), data: { offset: 0, length: 0 } },
  ]);
  const data = { file: 'weights', middles: new Map(), tensors: new Map(stored) };
  const target = { form: 'single', provider: 'cpu', standard: false, recurrence: 'scan', activations: 'int8' } as const;
  const { model } = lowerModel({ graph, kernels, info, data, target, fixed });
  return model.graph.nodes.map(({ op }) => op);
}

it('a layer of RWKV-7 is few nodes in a decode step', () => {
  const [two, three] = [stepOf(2), stepOf(3)];
  expect(three).not.toContain('Identity');
  expect(three.length - two.length).toBe(81);
});
