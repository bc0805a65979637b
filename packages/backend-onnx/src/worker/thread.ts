/** The thread that holds ONNX Runtime, whose `run` blocks. It imports nothing of this project but types. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import type {
  Envelope,
  Failure,
  Numbers,
  PoolRows,
  Reply,
  Request,
  TensorFeed,
  TensorFetch,
  WrittenFile,
} from './messages.ts';

const buffers = new Map<number, Numbers>();
const sessions = new Map<number, Ort.InferenceSession>();
/** Outputs that are not made where they go, kept for the next run of the same size. */
const staging = new Map<string, Numbers>();
/** Of a request that has no reply: told with the next that has one. */
let pending: Failure | undefined;

function bufferOf(id: number): Numbers {
  const found = buffers.get(id);
  if (found === undefined) throw new Error(`no buffer ${id}`);
  return found;
}

async function start(): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  let ort: typeof Ort;
  try {
    ort = await import('onnxruntime-node');
  } catch (error) {
    port.postMessage({ id: 0, error: { at: 'missing', message: messageOf(error) } } satisfies Reply);
    return;
  }
  const providers = ort.listSupportedBackends().map(({ name }) => name);
  port.postMessage({ ready: true, version: ort.env.versions.node ?? ort.env.versions.common, providers });
  let turn: Promise<void> = Promise.resolve();
  port.on('message', ({ id, request }: Envelope) => {
    turn = turn.then(async () => {
      const reply = await answer(ort, id, request);
      if (id !== 0) port.postMessage(reply, reply.data === undefined ? [] : [reply.data.buffer as ArrayBuffer]);
      if (request.kind === 'end') port.close();
    });
  });
}

async function answer(ort: typeof Ort, id: number, request: Request): Promise<Reply> {
  try {
    const data = await handle(ort, request);
    const error = pending;
    if (id !== 0) pending = undefined;
    if (error !== undefined && id !== 0) return { id, error };
    return data === undefined ? { id } : { id, data };
  } catch (cause) {
    const error: Failure = { at: request.kind === 'open' ? 'open' : 'run', message: messageOf(cause) };
    if (id === 0) pending ??= error;
    return { id, error };
  }
}

async function handle(ort: typeof Ort, request: Request): Promise<Numbers | undefined> {
  switch (request.kind) {
    case 'alloc':
      buffers.set(request.buffer, request.data);
      return undefined;
    case 'free':
      buffers.delete(request.buffer);
      return undefined;
    case 'write':
      bufferOf(request.buffer).set(request.data, request.offset);
      return undefined;
    case 'copy': {
      const { from, fromOffset, to, toOffset, elements } = request;
      bufferOf(to).set(bufferOf(from).subarray(fromOffset, fromOffset + elements), toOffset);
      return undefined;
    }
    case 'read':
      return bufferOf(request.buffer).slice(request.offset, request.offset + request.elements);
    case 'open': {
      if (request.data !== undefined) checkUnchanged(request.data);
      writeFileSync(request.path, request.model);
      try {
        sessions.set(request.session, await ort.InferenceSession.create(request.path, { ...request.options }));
      } finally {
        rmSync(request.path, { force: true });
      }
      return undefined;
    }
    case 'release': {
      const session = sessions.get(request.session);
      sessions.delete(request.session);
      for (const key of staging.keys()) if (key.startsWith(`${request.session} `)) staging.delete(key);
      await session?.release();
      return undefined;
    }
    case 'run':
      await run(ort, request);
      return undefined;
    case 'end':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      buffers.clear();
      return undefined;
  }
}

/** ONNX Runtime notices a file that is too short, and no other damage. */
function checkUnchanged({ path, size, mtimeNs }: WrittenFile): void {
  const now = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (now?.size !== size || now.mtimeNs !== mtimeNs) throw new Error(`the external data in ${path} were changed`);
}

/** Runs a session step by step; what a step carries to the next is handed over where it lies. */
async function run(
  ort: typeof Ort,
  { session: id, steps, feeds, fetches }: Extract<Request, { kind: 'run' }>,
): Promise<void> {
  const session = sessions.get(id);
  if (session === undefined) throw new Error(`no session ${id}`);
  let made = new Map<string, Numbers>();
  for (let step = 0; step < steps; step++) {
    const given = feeds.map((feed) => [feed.name, tensorOf(ort, feed, step, made)] as const);
    made = new Map(fetches.map((fetch) => [fetch.name, targetOf(id, fetch, step)]));
    const wanted = fetches.map(({ name, dims }) => [name, makeTensor(ort, dataOf(made, name), dims)] as const);
    await session.run(Object.fromEntries(given), Object.fromEntries(wanted));
  }
  for (const { name, to } of fetches) {
    if ('rows' in to) scatterRows(to.rows, dataOf(made, name));
    else if (to.staged) bufferOf(to.buffer).set(dataOf(made, name));
  }
}

function dataOf(made: ReadonlyMap<string, Numbers>, name: string): Numbers {
  const data = made.get(name);
  if (data === undefined) throw new Error(`no output ${name}`);
  return data;
}

function makeTensor(ort: typeof Ort, data: Numbers, dims: readonly number[]): Ort.Tensor {
  return data instanceof Int32Array ? new ort.Tensor('int32', data, dims) : new ort.Tensor('float32', data, dims);
}

function tensorOf(
  ort: typeof Ort,
  { dims, from, carried }: TensorFeed,
  step: number,
  before: ReadonlyMap<string, Numbers>,
): Ort.Tensor {
  if ('int64' in from) return new ort.Tensor('int64', BigInt64Array.of(BigInt(from.int64)), dims);
  if (carried !== undefined && step > 0) {
    const data = dataOf(before, carried);
    // Rows are made in two places in turns. Anything else may be written where it is read.
    return makeTensor(ort, 'rows' in from ? data : data.slice(), dims);
  }
  if ('rows' in from) return makeTensor(ort, gatherRows(from.rows), dims);
  const offset = from.offset + step * from.stride;
  return makeTensor(ort, bufferOf(from.buffer).subarray(offset, offset + count(dims)), dims);
}

function targetOf(session: number, { name, type, dims, to }: TensorFetch, step: number): Numbers {
  const elements = count(dims);
  if ('buffer' in to && !to.staged) {
    const offset = to.offset + step * to.stride;
    return bufferOf(to.buffer).subarray(offset, offset + elements);
  }
  const key = `${session} ${step % 2} ${name}`;
  const known = staging.get(key);
  if (known?.length === elements) return known;
  const made = type === 'int32' ? new Int32Array(elements) : new Float32Array(elements);
  staging.set(key, made);
  return made;
}

/** The rows one after the other; one row alone is looked at where it lies. */
function gatherRows(rows: PoolRows): Numbers {
  const pool = bufferOf(rows.pool);
  const places = placesOf(rows);
  const [only] = places;
  if (places.length === 1 && only !== undefined) return pool.subarray(only, only + rows.size);
  const gathered = emptyLike(pool, places.length * rows.size);
  places.forEach((place, s) => {
    gathered.set(pool.subarray(place, place + rows.size), s * rows.size);
  });
  return gathered;
}

function emptyLike(numbers: Numbers, elements: number): Numbers {
  return numbers instanceof Int32Array ? new Int32Array(elements) : new Float32Array(elements);
}

function scatterRows(rows: PoolRows, data: Numbers): void {
  const pool = bufferOf(rows.pool);
  placesOf(rows).forEach((place, s) => {
    pool.set(data.subarray(s * rows.size, (s + 1) * rows.size), place);
  });
}

/** Where the rows begin; slots are data, and kept within the pool. */
function placesOf({ slots, count: rows, size, poolRows }: PoolRows): number[] {
  const numbers = bufferOf(slots).subarray(0, rows);
  return Array.from(numbers, (slot) => Math.min(Math.max(slot, 0), poolRows - 1) * size);
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await start();
