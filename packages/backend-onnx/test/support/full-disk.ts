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
const b = new GraphBuilder('large');
b.output('y', b.unary('neg', b.parameter('w', 'f32', [65_536])));
const load = await told(() =>
  device.loadParameters(memorySource({ w: store('f32', [65_536], new Float32Array(65_536)) }), [b.build()]),
);

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
process.stdout.write(JSON.stringify({ load, run, exported }));
