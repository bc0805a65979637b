import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OnnxDevice } from '../src/device.ts';
import { kernels } from '../src/kernel-table.ts';
import type { Provider } from '../src/options.ts';
import type { RuntimeThread } from '../src/worker/client.ts';
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
  const thread = {
    post: (request: Request) => void asked.push(request),
    ask: async (request: Request) => void asked.push(request),
  };
  const device = new OnnxDevice({
    ...{ thread: thread as unknown as RuntimeThread, kernels, folder, session: {} },
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
