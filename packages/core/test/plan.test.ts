import {
  cost,
  decompose,
  definitionOf,
  detectModel,
  differentiate,
  type Graph,
  GraphBuilder,
  leaves,
  logitsGraph,
  lossGraph,
  type Node,
  type Plan,
  plan,
  sampleGraph,
  UnsupportedOpError,
} from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { rwkv7Tensors } from './model.ts';

const model = detectModel(rwkv7Tensors());
const limits = { N: 32, S: 3, R: 32, Z: 5 };
const primitivesOnly = (node: Node): true | string => definitionOf(node.op).kind !== 'composite' || 'a composite';
const planFor = (graph: Graph, supports = primitivesOnly): Plan => plan(graph, { supports, backend: 'test' }, limits);

/** Runs through a plan and tells when a value is read from a buffer that another value has taken over since. */
function overwrittenReads(planned: Plan): string[] {
  const holder = new Map<number, number>();
  const rootOf = new Map<number, number>();
  const problems: string[] = [];
  for (const node of planned.graph.nodes) {
    if (node.op === 'reshape') {
      for (const y of Object.values(node.outputs)) {
        for (const x of Object.values(node.inputs)) rootOf.set(y.id, rootOf.get(x.id) ?? x.id);
      }
      continue;
    }
    const index = (id: number): number | undefined => {
      const place = planned.storage.get(id);
      return place?.kind === 'buffer' ? place.index : undefined;
    };
    for (const value of Object.values(node.inputs)) {
      const place = index(value.id);
      const root = rootOf.get(value.id) ?? value.id;
      if (place !== undefined && holder.get(place) !== root) problems.push(`${node.op} reads %${value.id} too late`);
    }
    const taken = new Set(Object.values(node.inputs).map((value) => index(value.id)));
    for (const value of Object.values(node.outputs)) {
      const place = index(value.id);
      if (place === undefined) continue;
      if (taken.has(place)) problems.push(`${node.op} writes what it reads`);
      holder.set(place, value.id);
    }
  }
  return problems;
}

describe('plan', () => {
  it('keeps the composites that a device claims and decomposes the others', () => {
    const ops = (planned: Plan): Set<string> => new Set(planned.steps.map((node) => node.op));
    const whole = ops(planFor(logitsGraph(model), () => true));
    expect(whole).toContain('block7');
    expect(whole).not.toContain('timeMix7');
    const halves = ops(planFor(logitsGraph(model), (node) => (node.op === 'block7' ? 'no' : true)));
    expect(halves).toContain('timeMix7');
    expect(halves).not.toContain('wkv7');
    const some = ops(planFor(logitsGraph(model), (node) => (/^(block|timeMix)7$/.test(node.op) ? 'no' : true)));
    expect(some).toContain('shiftMix7');
    expect(some).toContain('wkv7');
    const none = ops(planFor(logitsGraph(model)));
    expect([...none].every((op) => definitionOf(op).kind === 'primitive')).toBe(true);
  });

  it('makes equal composites of equal nodes, each of its own inputs', () => {
    const b = new GraphBuilder('mixes');
    const [x, y] = [b.input('x', 'f32', ['N', 4]), b.input('y', 'f32', ['N', 4])];
    const mix = b.parameter('mix', 'f32', [4]);
    const lerp = (name: string, a: typeof x, other: typeof x) =>
      b.scope(name, () => b.add('lerp', { x: a, shifted: other, mix }).y);
    // The last is another case: one value is both.
    const first = lerp('first', x, y);
    const second = lerp('second', first, x);
    b.output('y', lerp('last', second, second));
    const { nodes, outputs } = decompose(b.build(), () => false);
    const made = new Map<number, string>();
    const parts = new Map<string, string[]>();
    for (const node of nodes) {
      const name = node.scope.split('.')[0] || node.op;
      const inputs = Object.values(node.inputs).map(({ id }) => made.get(id));
      parts.set(name, [...(parts.get(name) ?? []), `${node.op} ${inputs.join(' ')}`]);
      for (const { id } of Object.values(node.outputs)) {
        expect(made.has(id)).toBe(false);
        made.set(id, node.op === 'input' ? String(node.attrs['name']) : name);
      }
    }
    const renamed = (part: readonly string[] | undefined, names: Readonly<Record<string, string>>): string[] =>
      (part ?? []).map((line) => line.replaceAll(/\b(first|second|x|y)\b/g, (name) => names[name] ?? name));
    expect(parts.get('first')?.length).toBeGreaterThan(1);
    expect(parts.get('second')).toEqual(renamed(parts.get('first'), { x: 'first', y: 'x', first: 'second' }));
    expect(parts.get('last')?.join()).not.toMatch(/\b(first|x|y)\b/);
    expect(made.get(outputs['y']?.id ?? -1)).toBe('last');
  });

  it('says which primitive is missing, where, and where it would be added', () => {
    const supports = (node: Node): true | string => (node.op === 'wkv7' ? 'not written' : primitivesOnly(node));
    expect(() => planFor(logitsGraph(model), supports)).toThrow(UnsupportedOpError);
    expect(() => planFor(logitsGraph(model), supports)).toThrow(
      /wkv7 \(in blocks\.0\.block7\.att\.timeMix7\): not written/,
    );
  });

  it('updates state in place: no read, no write, the pools as state of the time ops', () => {
    const planned = planFor(logitsGraph(model));
    const steps = planned.steps;
    expect(steps.some((node) => node.op === 'stateRead' || node.op === 'stateWrite')).toBe(false);
    const time = steps.filter((node) => definitionOf(node.op).state !== undefined);
    expect(time).toHaveLength(3 * model.layers);
    for (const node of time) expect(node.inputs['slots']?.shape).toEqual(['S']);
    expect(Object.keys(planned.graph.updates)).toEqual(model.state.map(({ name }) => name));
    expect(planned.copies).toEqual([]);
  });

  it('keeps state reads and writes where a device does not take the pooled form', () => {
    const supports = (node: Node): true | string =>
      node.inputs['pool'] || !node.inputs['slots'] ? primitivesOnly(node) : 'no pools';
    const planned = planFor(logitsGraph(model), supports);
    expect(planned.steps.filter((node) => node.op === 'stateWrite')).toHaveLength(model.state.length);
    expect(overwrittenReads(planned)).toEqual([]);
  });

  it.each([logitsGraph(model), sampleGraph(model), lossGraph(model)])(
    'shares buffers without overwriting what is still read',
    (graph) => {
      const planned = planFor(graph);
      expect(overwrittenReads(planned)).toEqual([]);
      expect(planned.memory.bufferBytes).toBeLessThan(planned.memory.unsharedBytes);
      expect(planned.memory.steps).toBe(planned.steps.length);
    },
  );

  it.each([false, true])('plans forward and backward in one (values made again: %s)', (rematerialise) => {
    const names = [...leaves(lossGraph(model), 'parameter').keys()];
    const planned = plan(
      differentiate(lossGraph(model), 'loss', names, { rematerialise }),
      { supports: primitivesOnly, backend: 'test' },
      { N: 2048, S: 3, R: 2048, Z: 5 },
    );
    expect(overwrittenReads(planned)).toEqual([]);
    const { forward, again, backward } = planned.memory.fullest;
    expect(again > 0).toBe(rematerialise);
    expect(forward).toBeGreaterThan(backward);
    // No plan takes less than its fullest step, and this one is not far from that.
    expect(planned.memory.bufferBytes).toBeGreaterThanOrEqual(forward + again + backward);
    expect(planned.memory.bufferBytes).toBeLessThan(1.25 * (forward + again + backward));
  });

  it('gives values buffers by their size, largest first', () => {
    const b = new GraphBuilder('g');
    // A small value that is there all the time must not take the place of the large ones, which follow on each other.
    const x = b.input('x', 'f32', ['N']);
    const small = b.unary('exp', b.reduce('sum', x, [0]));
    let large = b.unary('exp', x);
    for (let i = 0; i < 4; i++) large = b.unary('tanh', large);
    b.output('y', b.binary('add', b.reduce('sum', large, [0]), small));
    const { memory } = planFor(b.build());
    expect(memory).toMatchObject({ bufferBytes: 2 * 32 * 4 + 4, fullest: { forward: 2 * 32 * 4 + 4 } });
  });

  it('keeps a variable that is only written', () => {
    const b = new GraphBuilder('g');
    b.variable('sum', 'f32', [2]);
    b.update('sum', b.full(0, [2]));
    const planned = planFor(b.build());
    expect(planned.copies.map(({ to }) => to)).toEqual([{ kind: 'variable', name: 'sum' }]);
  });

  it('tells 0 from −0', () => {
    const b = new GraphBuilder('g');
    b.output('y', b.binary('div', b.full(0, []), b.full(-0, [])));
    expect(planFor(b.build()).graph.nodes.filter((node) => node.op === 'constant')).toHaveLength(2);
  });

  it('drops dead code and makes equal nodes once', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'f32', ['N', 2]);
    b.unary('exp', x);
    b.output('y', b.binary('add', b.unary('tanh', x), b.unary('tanh', x)));
    expect(planFor(b.build()).steps.map((node) => node.op)).toEqual(['unary', 'binary']);
  });

  it('copies an output that is a view, an input or made for another output', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'f32', ['N', 2]);
    const y = b.unary('exp', x);
    b.output('same', x);
    b.output('made', y);
    b.output('again', b.reshape(y, [2, 'N']));
    const planned = planFor(b.build());
    expect(planned.copies.map(({ to }) => to.name)).toEqual(['same', 'again']);
    expect(planned.storage.get(y.id)).toBeDefined();
  });

  it.each([
    [
      'reads a pool after its write',
      (b: GraphBuilder, pool: ReturnType<GraphBuilder['variable']>) => {
        const slots = b.input('slots', 'i32', ['S']);
        b.update('pool', b.add('stateWrite', { pool, slots, value: b.full(1, ['S', 2]) }).y);
        b.output('late', b.unary('exp', pool));
      },
    ],
    [
      'writes a pool and keeps it to itself',
      (b: GraphBuilder, pool: ReturnType<GraphBuilder['variable']>) => {
        const slots = b.input('slots', 'i32', ['S']);
        b.output('y', b.add('stateWrite', { pool, slots, value: b.full(1, ['S', 2]) }).y);
      },
    ],
    [
      'swaps two variables',
      (b: GraphBuilder, pool: ReturnType<GraphBuilder['variable']>) => {
        b.update('pool', b.variable('other', 'f32', ['Z', 2]));
        b.update('other', pool);
      },
    ],
  ])('refuses a graph that %s', (_, build) => {
    const b = new GraphBuilder('g');
    build(b, b.variable('pool', 'f32', ['Z', 2]));
    expect(() => planFor(b.build())).toThrow(expect.objectContaining({ code: 'BAD_GRAPH' }));
  });
});

describe('cost', () => {
  it('copies a variable out before its update', () => {
    const b = new GraphBuilder('before');
    const old = b.variable('total', 'f32', [2]);
    b.update('total', b.binary('add', old, 1));
    b.output('before', old);
    expect(planFor(b.build()).copies.map(({ to }) => to.kind)).toEqual(['output', 'variable']);
  });

  it('refuses a pool, or a view of it, as it was before it was written in place', () => {
    const b = new GraphBuilder('stale');
    const pool = b.variable('pool', 'f32', ['Z', 2, 3]);
    const view = b.reshape(pool, ['Z', 6]);
    const value = b.full(1, ['S', 2, 3]);
    b.update('pool', b.add('stateWrite', { pool, slots: b.input('slots', 'i32', ['S']), value }).y);
    for (const stale of [pool, view]) {
      b.output('stale', stale);
      expect(() => planFor(b.build())).toThrow(/a pool as it was before stateWrite wrote it/);
    }
    b.output('stale', b.unary('neg', view));
    expect(() => planFor(b.build())).toThrow(/unary in {2}reads a pool after stateWrite wrote it/);
  });

  it('counts what matmuls and memories do', () => {
    const steps = planFor(logitsGraph(model)).steps;
    const sizes = { N: 4, S: 1, R: 4, Z: 1 };
    const head = steps.findLast((node) => node.op === 'linear');
    expect(head && cost(head, sizes)).toEqual({ flops: 2 * 4 * 16 * 11, bytes: 4 * (4 * 16 + 11 * 16 + 4 * 11) });
    const wkv = steps.find((node) => node.op === 'wkv7');
    expect(wkv && cost(wkv, sizes).flops).toBe(9 * 4 * 2 * 8 * 8);
  });

  it('counts only the rows in use of tables and pools', () => {
    const [gather] = planFor(logitsGraph(model)).steps;
    expect(gather && cost(gather, { N: 3, S: 1, R: 1, Z: 64 }).bytes).toBe(4 * (3 + 3 * 16 + 3 * 16));
    const wkv = planFor(logitsGraph(model)).steps.find((node) => node.op === 'wkv7');
    const bytes = (pool: number) => wkv && cost(wkv, { N: 1, S: 1, R: 1, Z: pool }).bytes;
    expect(bytes(64)).toBe(bytes(1));
  });

  it('has bytes and operations for every op of every model graph', () => {
    for (const node of planFor(lossGraph(model)).steps) {
      const { flops, bytes } = cost(node, limits);
      expect(Number.isFinite(flops) && flops >= 0 && bytes > 0, node.op).toBe(true);
    }
  });
});

describe('rwkv7', () => {
  it('takes every tensor of a checkpoint but the unused ones of the first layer', () => {
    const tensors = rwkv7Tensors({ layers: 3 });
    const used = [...leaves(logitsGraph(detectModel(tensors)), 'parameter').keys()];
    const unused = [...tensors.keys()].filter((name) => !used.includes(name));
    expect(unused.sort()).toEqual(['blocks.0.att.v0', 'blocks.0.att.v1', 'blocks.0.att.v2']);
  });

  it('names the tensor that is missing or misshapen', () => {
    const without = rwkv7Tensors();
    without.delete('blocks.1.ffn.key.weight');
    expect(() => logitsGraph(detectModel(without))).toThrow(/blocks\.1\.ffn\.key\.weight/);
    const flat = rwkv7Tensors();
    flat.set('emb.weight', { dtype: 'f32', shape: [176], bytes: 704 });
    expect(() => detectModel(flat)).toThrow(/emb\.weight has shape \[176\]/);
    const uneven = rwkv7Tensors();
    uneven.set('blocks.0.att.r_k', { dtype: 'f32', shape: [3, 5], bytes: 60 });
    expect(() => detectModel(uneven)).toThrow(/r_k has shape \[3,5\], must be heads/);
    expect(() => detectModel(new Map())).toThrow(expect.objectContaining({ code: 'UNKNOWN_MODEL' }));
  });

  it('makes the new value of a variable in its place once nothing reads the old one', () => {
    const b = new GraphBuilder('update');
    const [weight, moment, bias] = ['weight', 'moment', 'bias'].map((name) => b.variable(name, 'f32', [4]));
    if (weight === undefined || moment === undefined || bias === undefined) throw new Error('three variables');
    const moved = b.binary('add', b.binary('mul', moment, 0.9), weight);
    b.update('moment', moved);
    // The old weight is read after the new one is made, and the node that makes the new bias reads the old.
    const smaller = b.binary('mul', moved, 0.5);
    b.update('weight', smaller);
    b.output('was', b.binary('sub', weight, smaller));
    b.update('bias', b.binary('add', bias, 1));
    const graph = b.build();
    const copied = (updates: 'inPlace' | 'copied'): string[] =>
      plan(graph, { supports: primitivesOnly, backend: 'test', updates }, limits).copies.map(({ to }) => to.name);
    expect(copied('copied')).toEqual(['moment', 'weight', 'bias']);
    expect(copied('inPlace')).toEqual(['weight', 'bias']);
  });
});
