/**
 * Loads, runs and exports into a folder where no file may grow, and prints the errors: a program of its own, for the limit is one of a
 * process.
 */
import { memorySource, randomRwkv7, store } from '@receptance/conformance';
import { GraphBuilder, ReceptanceError } from '@receptance/core';
import { exportOnnx, type KernelOf, onnx } from '../../src/index.ts';

const [directory = ''] = process.argv.slice(2);

/** Needs more room for its constant than a file may have. */
const large: KernelOf<'unary'> = {
  lower({ x }, _, __, o) {
    const many = o.block.floats(Array.from({ length: 65_536 }, (_, i) => i));
    return { y: o.block.op('Add', [o.ref(x), o.block.op('ReduceMax', [many], { keepdims: { int: 0 } })]) };
  },
};

async function told(task: () => Promise<unknown>): Promise<object> {
  try {
    await task();
  } catch (error) {
    const { code, message, hint } = ReceptanceError.isInstance(error)
      ? error
      : new ReceptanceError('RAW', String(error));
    return { code, message, hint };
  }
  return { code: 'none' };
}

const device = await onnx({ directory, threads: 1, kernels: { unary: [large] } }).open();
const loading = (shape: readonly [number, number]): Promise<object> => {
  const b = new GraphBuilder('large');
  b.output('y', b.linear(b.input('x', 'f32', ['N', shape[1]]), b.parameter('w', 'f32', shape)));
  const source = memorySource({ w: store('f32', shape, new Float32Array(shape[0] * shape[1])) });
  return told(() => device.loadParameters(source, [b.build()]));
};
const load = await loading([61, 1000]);
// Lies column by column, and is more than is turned at once.
const turned = await loading([100_000, 61]);

const c = new GraphBuilder('model');
c.output('y', c.unary('neg', c.input('x', 'f32', [1])));
const graph = c.build();
const executable = await device.compile(graph, await device.loadParameters(memorySource({}), [graph]), {});
const bindings = { sizes: {}, inputs: { x: device.alloc('f32', 1) }, outputs: { y: device.alloc('f32', 1) } };
const run = await told(() => device.run(executable, bindings));
await device.close();

const shape = { layers: 1, heads: 2, headSize: 16, ffn: 64, vocabulary: 2048, ranks: { w: 8, a: 8, v: 8, g: 8 } };
const source = randomRwkv7({ ...shape, seed: 'full' });
const exported = await told(() => exportOnnx(source, `${directory}/out`));
process.stdout.write(JSON.stringify({ load, turned, run, exported }));
