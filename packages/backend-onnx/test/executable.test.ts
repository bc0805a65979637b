import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource, store } from '@receptance/conformance';
import { GraphBuilder, quantizedSource } from '@receptance/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OnnxDevice } from '../src/device.ts';
import { kernels } from '../src/kernel-table.ts';
import type { Provider } from '../src/options.ts';
import type { Thread } from '../src/worker/client.ts';
import type { Request } from '../src/worker/messages.ts';
import { compileAlone, graphOf } from './support.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptance-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A device whose thread notes what it is asked, and does nothing. */
function deviceOf(provider: Provider): { readonly device: OnnxDevice; readonly asked: Request[] } {
  const asked: Request[] = [];
  const thread: Thread = {
    post: (request: Request) => void asked.push(request),
    ask: async (request: Request) => void asked.push(request),
    end: async () => undefined,
  };
  const device = new OnnxDevice({
    ...{ thread, kernels, folder, session: {} },
    info: { backend: 'onnx', adapter: 'none', threads: 1, float: 'f32', ragged: true },
    target: { provider, standard: false, recurrence: 'scan', activations: 'exact' },
  });
  return { device, asked };
}

/** Runs of so many rows, and what sessions were opened and released for them. */
async function sessionsOf(provider: Provider, rows: readonly number[]): Promise<string[]> {
  const { device, asked } = deviceOf(provider);
  const executable = await compileAlone(
    device,
    graphOf((b, x) => b.unary('neg', x)),
    { N: 100 },
  );
  const [x, y] = [device.alloc('f32', 100), device.alloc('f32', 100)];
  for (const N of rows) await device.run(executable, { sizes: { N }, inputs: { x }, outputs: { y } });
  executable.free();
  const numbers = new Map<number, number>();
  return asked.flatMap((request) => {
    if (request.kind !== 'open' && request.kind !== 'release') return [];
    const number = numbers.get(request.session) ?? numbers.size;
    numbers.set(request.session, number);
    return [`${request.kind} ${number}`];
  });
}

it('holds the sessions that were used last on a GPU, where each holds the weights', async () => {
  expect(await sessionsOf('webgpu', [10, 11, 12, 13, 10, 14, 10, 11])).toEqual([
    ...['open 0', 'open 1', 'open 2', 'open 3', 'release 1', 'open 4', 'release 2', 'open 5'],
    ...['release 3', 'release 4', 'release 0', 'release 5'],
  ]);
});

it('has few on a CPU, which take all lengths', async () => {
  expect(await sessionsOf('cpu', [10, 11, 12, 13, 1, 14, 15])).toEqual(['open 0', 'open 1', 'release 1', 'release 0']);
});

it('widens no weight for a product of no row', async () => {
  const { device, asked } = deviceOf('cpu');
  const b = new GraphBuilder('head');
  b.output('y', b.linear(b.input('x', 'f32', ['N', 32]), b.parameter('w', 'q8_0', [64, 32])));
  const graph = b.build();
  const plain = memorySource({ w: store('f32', [64, 32], Array<number>(64 * 32).fill(1)) });
  const parameters = await device.loadParameters(
    quantizedSource(plain, 'q8_0', () => true),
    [graph],
  );
  const executable = await device.compile(graph, parameters, { N: 3 });
  const [x, y] = [device.alloc('f32', 96), device.alloc('f32', 192)];
  for (const N of [3, 0]) await device.run(executable, { sizes: { N }, inputs: { x }, outputs: { y } });
  const models = asked.flatMap((request) => (request.kind === 'open' ? [Buffer.from(request.model)] : []));
  expect(models.map((model) => model.includes('DequantizeLinear'))).toEqual([true, false]);
});
