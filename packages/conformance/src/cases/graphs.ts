import { GraphBuilder, type Value } from '@receptance/core';
import { type Case, type Expected, NO_WEIGHTS } from '../case.ts';
import { memorySource, store } from '../weights.ts';

/** How a device executes graphs, whatever the ops: where outputs are made, how variables change, what loops carry. */
export function graphCases(): Case[] {
  return [
    known('an output that is an input', (b) => b.output('y', input(b)), { outputs: { y: X } }),
    known('an output that is a view of an input', (b) => b.output('y', b.reshape(input(b), [3, 'N'])), {
      outputs: { y: X },
    }),
    known('one value as two outputs', (b) => both(b, b.unary('neg', input(b))), {
      outputs: { y: NEGATED, z: NEGATED },
    }),
    known(
      'a value and its view as outputs',
      (b) => {
        const y = b.unary('neg', input(b));
        b.output('y', y);
        b.output('z', b.reshape(y, [3, 'N']));
      },
      { outputs: { y: NEGATED, z: NEGATED } },
    ),
    known('a constant as output', (b) => b.output('y', b.constant([1, 2, 3])), { outputs: { y: [1, 2, 3] } }),
    known(
      'an output that is read on',
      (b) => {
        const y = b.unary('neg', input(b));
        b.output('y', y);
        b.output('z', b.unary('neg', y));
      },
      { outputs: { y: NEGATED, z: X } },
    ),
    known('many values alive at once', manyAlive, { outputs: { y: X.map((x) => 28 * x) } }),
    known('an operand twice', (b) => b.output('y', b.binary('mul', input(b), input(b))), {
      outputs: { y: X.map((x) => x * x) },
    }),
    known(
      'nothing but a dead end',
      (b) => {
        b.unary('exp', input(b));
        b.output('y', b.full(1, ['N']));
      },
      { outputs: { y: [1, 1] } },
    ),
    ...variableCases(),
    ...loopCases(),
  ];
}

const X = [1, -2, 3, -4, 5, -6];
const NEGATED = X.map((x) => -x);

function input(b: GraphBuilder): Value {
  return b.input('x', 'f32', ['N', 3]);
}

function both(b: GraphBuilder, value: Value): void {
  b.output('y', value);
  b.output('z', value);
}

/** x, 2x, …, 7x, all needed at the end. */
function manyAlive(b: GraphBuilder): void {
  const multiples = Array.from({ length: 7 }, (_, i) => b.binary('mul', input(b), i + 1));
  const [first = input(b), ...others] = multiples.toReversed();
  b.output(
    'y',
    others.reduce((sum, value) => b.binary('add', sum, value), first),
  );
}

function build(name: string, body: (b: GraphBuilder) => void): Case['graph'] {
  const b = new GraphBuilder(name);
  body(b);
  return b.build();
}

function known(name: string, body: (b: GraphBuilder) => void, expected: Expected): Case {
  const id = `graph/${name}`;
  return {
    id,
    graph: build(id, body),
    sizes: { N: 2 },
    inputs: { x: Float32Array.from(X) },
    weights: NO_WEIGHTS,
    expected,
  };
}

function variableCases(): Case[] {
  const weights = memorySource({ v: store('f32', [3], [10, 20, 30]) });
  const v = (b: GraphBuilder): Value => b.variable('v', 'f32', [3]);
  const make = (name: string, body: (b: GraphBuilder) => void, expected: Expected): Case => ({
    ...known(name, body, expected),
    weights,
  });
  return [
    make('a variable read', (b) => b.output('y', b.binary('add', input(b), v(b))), {
      ...{ outputs: { y: [11, 18, 33, 6, 25, 24] }, variables: { v: [10, 20, 30] } },
    }),
    make('a variable as output', (b) => b.output('y', v(b)), {
      outputs: { y: [10, 20, 30] },
      variables: { v: [10, 20, 30] },
    }),
    make('a variable updated', (b) => b.update('v', b.binary('add', v(b), b.reduce('sum', input(b), [0]))), {
      ...{ outputs: {}, variables: { v: [7, 23, 27] } },
    }),
    make(
      'a variable read before it is updated',
      (b) => {
        b.update('v', b.binary('mul', v(b), 2));
        b.output('y', b.unary('neg', v(b)));
      },
      { outputs: { y: [-10, -20, -30] }, variables: { v: [20, 40, 60] } },
    ),
    make(
      'an output that is the new value of a variable',
      (b) => {
        const next = b.binary('add', v(b), 1);
        b.update('v', next);
        b.output('y', next);
      },
      { outputs: { y: [11, 21, 31] }, variables: { v: [11, 21, 31] } },
    ),
    {
      ...known('a variable that no source has is 0', (b) => b.update('v', b.binary('add', v(b), 1)), {
        outputs: {},
        variables: { v: [1, 1, 1] },
      }),
    },
    make(
      'an i32 variable',
      (b) => b.output('y', b.add('cast', { x: b.variable('n', 'i32', [2]) }, { dtype: 'f32' }).y),
      {
        ...{ outputs: { y: [0, 0] }, variables: { n: [0, 0] } },
      },
    ),
    poolWritten(),
  ];
}

/** Slots written straight, without a time op between. */
function poolWritten(): Case {
  const id = 'graph/a pool written in chosen rows';
  const graph = build(id, (b) => {
    const pool = b.variable('pool', 'f32', ['Z', 2]);
    const slots = b.input('slots', 'i32', ['S']);
    const value = b.binary('mul', b.add('stateRead', { pool, slots }).y, 10);
    b.update('pool', b.add('stateWrite', { pool, slots, value }).y);
    b.output('value', value);
  });
  return {
    ...{ id, graph, sizes: { S: 2 }, limits: { Z: 4 }, inputs: { slots: Int32Array.of(3, 1) } },
    weights: memorySource({ pool: store('f32', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) }),
    expected: { outputs: { value: [70, 80, 30, 40] }, variables: { pool: [1, 2, 30, 40, 5, 6, 70, 80] } },
  };
}

function loopCases(): Case[] {
  const counting = build('graph/loop', (b) => {
    const n = b.input('n', 'f32', ['S']);
    const step = b.input('step', 'f32', ['S']);
    const total = b.variable('total', 'f32', [1]);
    const next = b.binary('add', b.binary('mul', n, 2), step);
    b.output('next', next);
    b.output('twice', b.binary('mul', n, 2));
    b.update('total', b.binary('add', total, b.reduce('sum', next, [0], true)));
  });
  const inputs = { n: Float32Array.of(1, 2), step: Float32Array.of(1, 0, 0, 10, 5, 5) };
  return [
    {
      ...{
        id: 'graph/a loop carries, feeds and collects',
        graph: counting,
        sizes: { S: 2 },
        inputs,
        weights: NO_WEIGHTS,
      },
      loop: { steps: 3, carry: { n: 'next' }, feed: ['step'], collect: ['next'] },
      // 2·1+1, 2·2+0; 2·3+0, 2·4+10; 2·6+5, 2·18+5
      expected: { outputs: { next: [3, 4, 6, 18, 17, 41], twice: [12, 36] }, variables: { total: [89] } },
    },
    {
      ...{ id: 'graph/a loop of one step', graph: counting, sizes: { S: 2 }, weights: NO_WEIGHTS },
      inputs: { n: Float32Array.of(1, 2), step: Float32Array.of(1, 0) },
      loop: { steps: 1, carry: { n: 'next' }, feed: ['step'], collect: ['next'] },
      expected: { outputs: { next: [3, 4], twice: [2, 4] }, variables: { total: [7] } },
    },
    swapping(),
  ];
}

/** Two inputs that change places each step: no carry may see what another has written. */
function swapping(): Case {
  const graph = build('graph/swap', (b) => {
    b.output('y', b.binary('add', b.input('c', 'f32', [2]), 0));
    b.output('z', b.binary('add', b.input('d', 'f32', [2]), 1));
  });
  return {
    ...{ id: 'graph/a loop that swaps', graph, sizes: {}, weights: NO_WEIGHTS },
    inputs: { c: Float32Array.of(1, 2), d: Float32Array.of(30, 40) },
    loop: { steps: 3, carry: { c: 'z', d: 'y' }, feed: [], collect: ['y'] },
    expected: { outputs: { y: [1, 2, 31, 41, 2, 3], z: [32, 42] } },
  };
}
