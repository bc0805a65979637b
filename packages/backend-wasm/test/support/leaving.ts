/**
 * A process in which a worker leaves by itself: `leaving.ts THREAD WHEN`, WHEN being `start`, `amid` the first run or
 * `after` it. Prints a line of what came of opening the device and of each run, and ends when nothing is left to do.
 */
import { memorySource } from '@receptance/conformance';
import { type Device, GraphBuilder } from '@receptance/core';
import { wasm } from '../../src/index.ts';

const WIDTH = 40_000;
const [thread, when] = process.argv.slice(2);

/** Stands before the worker's own program, and leaves from within it. */
const leaves = `
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  if ('${when}' === 'start') process.exit(7);
  const { exports } = await instantiate(module, imports);
  const run = (code, registers, plan, id, ...rest) => {
    if ('${when}' === 'amid' && Number(id) === ${thread}) process.exit(7);
    exports.run(code, registers, plan, id, ...rest);
    if ('${when}' === 'after' && Number(id) === ${thread}) {
      // By then the other has long said that the run is done.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      process.exit(7);
    }
  };
  return { exports: { ...exports, run } };
};`;

const { promise: left, resolve: leave } = Promise.withResolvers<void>();
const threads = process.getBuiltinModule('node:worker_threads');
threads.Worker = class extends threads.Worker {
  constructor(source: string | URL, options?: ConstructorParameters<typeof threads.Worker>[1]) {
    super(`${leaves}\n${source}`, options);
    this.once('exit', () => leave());
  }
};

function tell(what: string, outcome: Promise<unknown>): Promise<void> {
  return outcome.then(
    () => void process.stdout.write(`${what}: done\n`),
    (error) => void process.stdout.write(`${what}: ${error.code} ${error.message}\n`),
  );
}

const opening = wasm({ threads: 2 }).open();
await tell('open', opening);
const device: Device | undefined = await opening.catch(() => undefined);
if (device !== undefined) {
  const b = new GraphBuilder('double');
  const x = b.input('x', 'f32', [WIDTH]);
  b.output('y', b.binary('add', x, x));
  const graph = b.build();
  const double = await device.compile(graph, await device.loadParameters(memorySource({}), [graph]), {});
  const bindings = {
    sizes: {},
    inputs: { x: device.alloc('f32', WIDTH) },
    outputs: { y: device.alloc('f32', WIDTH) },
  };
  await tell('first run', device.run(double, bindings));
  // Nothing else keeps the process alive between runs.
  const alive = setInterval(() => {}, 1000);
  await left;
  clearInterval(alive);
  for (const run of ['second run', 'third run']) await tell(run, device.run(double, bindings));
}
