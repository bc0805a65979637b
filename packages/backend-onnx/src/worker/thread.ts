/** The thread that holds ONNX Runtime, whose `run` blocks. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import { Memory } from './memory.ts';
import type {
  Envelope,
  Failure,
  Numbers,
  Ready,
  Reply,
  Request,
  TensorFeed,
  TensorFetch,
  Work,
  WrittenFile,
} from './messages.ts';

interface Opened {
  readonly session: Ort.InferenceSession;
  readonly works: Map<number, Work>;
  /** By the names of outputs that are not made where they go: tensors for them, some of which hold rows of pools. */
  readonly staging: Map<string, Ort.Tensor[]>;
}

type OpenRequest = Extract<Request, { readonly kind: 'open' }>;

/** An error of which it is known where it came up. */
class Fault extends Error {
  readonly at: Failure['at'];

  constructor(at: Failure['at'], message: string) {
    super(message);
    this.at = at;
  }
}

const memory = new Memory<Ort.Tensor>(async (x, reader) => {
  if (reader === undefined) return numbersOf(x);
  const { y } = await openedOf(reader).session.run({ x });
  return numbersOf(y);
});
const sessions = new Map<number, Opened>();
/** Of a request that has no reply: told with the next that has one. */
let pending: Failure | undefined;

function openedOf(id: number): Opened {
  const found = sessions.get(id);
  if (found === undefined) throw new Error(`no session ${id}`);
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
  const version = ort.env.versions.node ?? ort.env.versions.common;
  port.postMessage({ ready: true, version } satisfies Ready);
  let turn: Promise<void> = Promise.resolve();
  port.on('message', (envelopes: readonly Envelope[]) => {
    turn = turn.then(async () => {
      for (const { id, request } of envelopes) {
        const reply = await answer(ort, id, request);
        if (id !== 0) port.postMessage(reply, reply.data === undefined ? [] : [reply.data.buffer as ArrayBuffer]);
        if (request.kind === 'end') port.close();
      }
    });
  });
}

async function answer(ort: typeof Ort, id: number, request: Request): Promise<Reply> {
  try {
    const data = await handle(ort, request);
    // A session that is open is open, whatever went wrong before it: the run for which it was opened tells of that.
    if (id === 0 || request.kind === 'open' || pending === undefined) return data === undefined ? { id } : { id, data };
    const error = pending;
    pending = undefined;
    return { id, error };
  } catch (cause) {
    const error: Failure = { at: cause instanceof Fault ? cause.at : 'run', message: messageOf(cause) };
    if (id === 0) pending ??= error;
    return { id, error };
  }
}

async function handle(ort: typeof Ort, request: Request): Promise<Numbers | undefined> {
  switch (request.kind) {
    case 'alloc':
      memory.add(request.buffer, request.data);
      return undefined;
    case 'free':
      memory.remove(request.buffer);
      return undefined;
    case 'write':
      (await memory.settled(request.buffer)).set(request.data, request.offset);
      return undefined;
    case 'copy': {
      const { from, fromOffset, to, toOffset, elements } = request;
      await memory.copy(from, fromOffset, to, toOffset, elements);
      return undefined;
    }
    case 'read':
      return (await memory.settled(request.buffer)).slice(request.offset, request.offset + request.elements);
    case 'open':
      sessions.set(request.session, { session: await open(ort, request), works: new Map(), staging: new Map() });
      return undefined;
    case 'release': {
      await memory.settleAll();
      const opened = sessions.get(request.session);
      sessions.delete(request.session);
      await opened?.session.release();
      return undefined;
    }
    case 'run': {
      const opened = openedOf(request.session);
      if (request.work !== undefined) opened.works.set(request.number, request.work);
      const work = opened.works.get(request.number);
      if (work === undefined) throw new Error(`no work ${request.number}`);
      await run(ort, opened, work);
      return undefined;
    }
    case 'end':
      memory.clear();
      for (const { session } of sessions.values()) await session.release();
      sessions.clear();
      return undefined;
  }
}

async function open(ort: typeof Ort, { path, model, data, options }: OpenRequest): Promise<Ort.InferenceSession> {
  checkUnchanged(data);
  try {
    writeModel(path, model);
    return await ort.InferenceSession.create(path, { ...options });
  } catch (error) {
    // It may have been damaged since.
    checkUnchanged(data);
    throw error instanceof Fault ? error : new Fault('open', messageOf(error));
  } finally {
    rmSync(path, { force: true });
  }
}

function writeModel(path: string, model: Uint8Array): void {
  try {
    writeFileSync(path, model);
  } catch (error) {
    throw new Fault('write', `${path} could not be written (${messageOf(error)})`);
  }
}

/** ONNX Runtime notices a file that is too short, and no other damage. */
function checkUnchanged(data: WrittenFile | undefined): void {
  if (data === undefined) return;
  const { path, size, mtimeNs } = data;
  const now = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (now?.size !== size || now.mtimeNs !== mtimeNs) throw new Fault('data', `${path} is not what was written`);
}

type Tensors = Readonly<Record<string, Ort.Tensor>>;

/** Runs a session step by step; what a step carries to the next is handed over where it lies. */
async function run(ort: typeof Ort, { session, staging }: Opened, { steps, feeds, fetches }: Work): Promise<void> {
  const rows = await rowsOf(ort, feeds);
  for (const { to } of fetches) if ('buffer' in to) await memory.settled(to.buffer);
  // A session that leaves outputs on the GPU makes the others where it likes, too.
  const isBound = fetches.some(isKept);
  const anywhere = Object.fromEntries(fetches.map(({ name }) => [name, null]));
  let made: Tensors = {};
  for (let step = 0; step < steps; step++) {
    const given = Object.fromEntries(feeds.map((feed) => [feed.name, tensorOf(ort, feed, step, made, rows)]));
    const targets = Object.fromEntries(fetches.map((fetch) => [fetch.name, targetOf(ort, staging, fetch, step, made)]));
    const results = await session.run(given, isBound ? anywhere : targets);
    for (const tensor of Object.values(made)) if (tensor.location === 'gpu-buffer') tensor.dispose();
    if (isBound) copyMade(results, targets, fetches);
    made = isBound ? results : targets;
  }
  for (const { name, to } of fetches) {
    if ('buffer' in to) {
      if (to.staged) memory.get(to.buffer).set(numbersOf(made[name]));
    } else await memory.keepRows(to.rows, tensorNamed(made, name), to.reader);
  }
}

/** What the first step is given of pools. */
async function rowsOf(ort: typeof Ort, feeds: readonly TensorFeed[]): Promise<Tensors> {
  const rows: Record<string, Ort.Tensor> = {};
  for (const { name, dims, from } of feeds) {
    if ('buffer' in from) await memory.settled(from.buffer);
    if ('rows' in from) rows[name] = memory.kept(from.rows) ?? makeTensor(ort, await memory.rows(from.rows), dims);
  }
  return rows;
}

function isKept({ to }: TensorFetch): boolean {
  return 'rows' in to && to.reader !== undefined;
}

function copyMade(results: Tensors, targets: Tensors, fetches: readonly TensorFetch[]): void {
  for (const { name, to } of fetches) {
    if ('buffer' in to && !to.staged) numbersOf(targets[name]).set(numbersOf(results[name]));
  }
}

function tensorNamed(tensors: Tensors, name: string): Ort.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return tensor;
}

function numbersOf(tensor: Ort.Tensor | undefined): Numbers {
  const data = tensor?.data;
  if (data instanceof Float32Array || data instanceof Int32Array) return data;
  throw new Error('a tensor is missing, or of another type');
}

function makeTensor(ort: typeof Ort, data: Numbers, dims: readonly number[]): Ort.Tensor {
  return data instanceof Int32Array ? new ort.Tensor('int32', data, dims) : new ort.Tensor('float32', data, dims);
}

function tensorOf(
  ort: typeof Ort,
  { name, dims, from, carried }: TensorFeed,
  step: number,
  before: Tensors,
  rows: Tensors,
): Ort.Tensor {
  if ('int64' in from) return new ort.Tensor('int64', BigInt64Array.of(BigInt(from.int64)), dims);
  if (carried !== undefined && step > 0) {
    const tensor = tensorNamed(before, carried);
    // Rows are never made where they are read. Anything else may be.
    return 'rows' in from ? tensor : makeTensor(ort, numbersOf(tensor).slice(), dims);
  }
  if ('rows' in from) return tensorNamed(rows, name);
  const offset = from.offset + step * from.stride;
  return makeTensor(ort, memory.get(from.buffer).subarray(offset, offset + count(dims)), dims);
}

function targetOf(
  ort: typeof Ort,
  staging: Opened['staging'],
  { name, type, dims, to }: TensorFetch,
  step: number,
  before: Tensors,
): Ort.Tensor {
  const elements = count(dims);
  if ('buffer' in to && !to.staged) {
    const offset = to.offset + step * to.stride;
    return makeTensor(ort, memory.get(to.buffer).subarray(offset, offset + elements), dims);
  }
  const known = staging.get(name)?.filter((tensor) => String(tensor.dims) === String(dims)) ?? [];
  const free = known.find((tensor) => tensor !== before[name] && !memory.isHeld(tensor));
  if (free !== undefined) return free;
  const made = makeTensor(ort, type === 'int32' ? new Int32Array(elements) : new Float32Array(elements), dims);
  staging.set(name, [...known, made]);
  return made;
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await start();
