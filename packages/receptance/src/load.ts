import {
  type ByteSource,
  blobSource,
  bytesSource,
  type Checkpoint,
  fingerprinting,
  openCheckpoint,
  type Vocabulary,
} from '@receptance/checkpoint';
import type {
  AbortSignalLike,
  Backend,
  BackendUnavailableError,
  Device,
  LanguageModel,
  OpenOptions,
  PlainDType,
  ProgressListener,
  QuantizedDType,
  WeightSource,
} from '@receptance/core';
import {
  convertTensors,
  detectModel,
  firstAvailable,
  isBigMatrix,
  leaves,
  quantizedSource,
  ReceptanceError,
} from '@receptance/core';
import { byteTokenizer, type Tokenizer, worldTokenizerFromTokens } from '@receptance/tokenizer';
import { badOption } from './generate-options.ts';
import { Executables, Graphs, poolsOf, type RunLimits } from './graphs.ts';
import { LoadedModel, type Model, type ModelMemory, type OnDevice, type RecoverOptions } from './model.ts';
import { Slots } from './slots.ts';

/** Logits brought back by one run are at most this many, so that their buffer stays small beside the weights. */
const LOGITS_PER_RUN = 2 ** 22;

/**
 * A checkpoint: its bytes in memory, a `Blob` or `File`, anything that reads ranges of bytes, or a checkpoint that is
 * open already (which then is the caller's to close). A file by its path is `loadFile` of `receptance/node`.
 */
export type ModelSource = Checkpoint | WeightSource | ByteSource | Blob | Uint8Array | ArrayBuffer;

export interface ModelOptions {
  /**
   * `reference()`, `wasm()`, `webgpu()` … of the backend's own package; of a list, the first that opens on this machine:
   * `[webgpu(), wasm()]`.
   */
  readonly backend: Backend | readonly Backend[];
  /** Hears why a backend of a list did not open: no GPU, a driver that computes wrong numbers. */
  readonly onUnavailable?: ((error: BackendUnavailableError) => void) | undefined;
  /**
   * By default the World tokenizer that a .gguf brings along, or that of bytes for a vocabulary of 256; none for other
   * models: these take and give token ids.
   */
  readonly tokenizer?: Tokenizer | undefined;
  /**
   * How the big matrices (embedding, projections, head) are held, if not as they are stored: rounded, or quantised in
   * blocks of 32 where their rows are whole blocks. What is in blocks already is not quantised again. A type that the
   * backend has no kernels for is widened there: see `memory` for what it came to.
   */
  readonly weights?: WeightType | undefined;
  /** How many sessions there can be at a time. Each holds two copies of a state. Default 4. */
  readonly maxSequences?: number | undefined;
  /**
   * Most sessions whose texts are continued in one run; 1 runs each by itself. By default `maxSequences`, but at most 16.
   * A device that runs only sequences of one length takes one at a time.
   */
  readonly maxBatch?: number | undefined;
  /** Most tokens read in one run: memory for activations grows with it, and so does the speed of prefill. Default 256. */
  readonly chunk?: number | undefined;
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

export type WeightType = PlainDType | QuantizedDType;

const WEIGHT_TYPES: readonly WeightType[] = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'];

/**
 * Loads a model: finds out what it is, opens the backend, brings the weights there and prepares what will run.
 * @throws ReceptanceError `BAD_SOURCE`, `BAD_OPTION`, `UNKNOWN_MODEL`, what a damaged file causes (`NOT_A_CHECKPOINT`, `TRUNCATED_FILE`,
 * `MISSING_TENSOR`, `SHAPE_MISMATCH` …), or `BACKEND_UNAVAILABLE`
 */
export async function load(source: ModelSource, options: ModelOptions): Promise<Model> {
  return loadFrom(() => openSource(source, options), openingAgain(source), options);
}

/** Who is told while a source is read. */
type Hearing = Pick<ModelOptions, 'signal' | 'onProgress'>;

/**
 * As `load`.
 * @param open the source
 * @param again the same source once more, for a model that has lost its device
 */
export async function loadFrom(
  open: () => Promise<OpenSource>,
  again: (hearing: Hearing) => Promise<OpenSource>,
  options: ModelOptions,
): Promise<Model> {
  const { maxSequences = 4, chunk = 256 } = options;
  const backend = isList(options.backend) ? firstAvailable(options.backend, options.onUnavailable) : options.backend;
  checkCount('maxSequences', maxSequences, 4096);
  const { maxBatch = Math.min(maxSequences, 16) } = options;
  checkCount('maxBatch', maxBatch, 4096);
  checkCount('chunk', chunk, 65536);
  if (options.weights !== undefined && !WEIGHT_TYPES.includes(options.weights)) {
    throw badOption(`weights is ${options.weights}`, `it must be one of ${WEIGHT_TYPES.join(', ')}`);
  }
  const isNone = isList(options.backend) && options.backend.length === 0;
  if (isNone || typeof backend?.open !== 'function') {
    throw badOption('no backend was given', 'pass one as a value, e.g. wasm() of @receptance/backend-wasm');
  }
  const { weights, vocabulary, groupNormEps, close } = await open();
  try {
    options.signal?.throwIfAborted();
    const { tensors } = heldAs(weights, options.weights);
    const model = detectModel(tensors, groupNormEps === undefined ? {} : { groupNormEps });
    const tokenizer = options.tokenizer ?? tokenizerOf(vocabulary, model.vocabularySize);
    const slots = new Slots(maxSequences);
    const settings: Settings = { backend, model, slots, maxBatch, chunk, weights: options.weights };
    const onDevice = await bring(weights, settings, options);
    return new LoadedModel({
      ...{ model, slots, tokenizer, onDevice },
      reopen: async ({ source, ...hearing }: RecoverOptions) => {
        const { weights, close } = await (source === undefined ? again(hearing) : openSource(source, hearing));
        const { fingerprint } = onDevice;
        return { bring: () => bring(weights, { ...settings, fingerprint }, hearing), close };
      },
    });
  } finally {
    await close();
  }
}

/** How a source is opened once more, without holding on to bytes in memory. */
function openingAgain(source: ModelSource): (hearing: Hearing) => Promise<OpenSource> {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return notKept;
  const isClosed = isObject(source) && !('tensors' in source) && 'close' in source && source.close !== undefined;
  return isClosed ? wasClosed : (hearing) => openSource(source, hearing);
}

async function notKept(): Promise<never> {
  throw new ReceptanceError('NO_SOURCE', 'the bytes that the model was loaded from were not kept', {
    hint: 'give them again, model.recover({ source }), or load from a Blob, a file or an address',
  });
}

async function wasClosed(): Promise<never> {
  throw new ReceptanceError('NO_SOURCE', 'the source that the model was loaded from was closed when it had been read', {
    hint: 'open it again, model.recover({ source }), or load a file by its path: loadFile of receptance/node',
  });
}

function isList(backend: ModelOptions['backend']): backend is readonly Backend[] {
  return Array.isArray(backend);
}

/** What stays the same when a model begins anew. */
interface Settings {
  readonly backend: Backend;
  readonly model: LanguageModel;
  readonly slots: Slots;
  readonly maxBatch: number;
  readonly chunk: number;
  readonly weights: WeightType | undefined;
  /** That which the weights must have. */
  readonly fingerprint?: string;
}

/** Opens a device, and brings the model there. */
async function bring(source: WeightSource, settings: Settings, { signal, onProgress }: Hearing): Promise<OnDevice> {
  const hearing = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  const opening = settings.backend.open(hearing);
  // Graphs are made while threads start, or an adapter is found.
  const [opened, made] = await Promise.allSettled([opening, Graphs.of(settings.model)]);
  if (opened.status === 'rejected') throw opened.reason;
  const device = opened.value;
  try {
    if (made.status === 'rejected') throw made.reason;
    return await prepare(source, device, made.value, settings, hearing);
  } catch (error) {
    await device.close();
    throw error;
  }
}

async function prepare(
  source: WeightSource,
  device: Device,
  graphs: Graphs,
  { model, slots, maxBatch, chunk, weights, fingerprint: wanted }: Settings,
  hearing: OpenOptions,
): Promise<OnDevice> {
  const { vocabularySize, width } = model;
  const rows = Math.max(1, Math.min(chunk, Math.floor(LOGITS_PER_RUN / vocabularySize)));
  const batch = device.info.ragged ? Math.min(maxBatch, slots.capacity) : 1;
  const limits: RunLimits = { chunk, rows, batch, slots: slots.rows };
  const names = graphs.covering.flatMap((graph) => [...leaves(graph, 'parameter').keys()]);
  const read = fingerprinting(source, names);
  const parameters = await device.loadParameters(heldAs(read.source, weights), graphs.covering, {
    limits: { Z: slots.rows },
    ...hearing,
  });
  const fingerprint = await read.fingerprint();
  if (wanted !== undefined && fingerprint.digits !== wanted) {
    throw new ReceptanceError('WEIGHTS_CHANGED', 'the weights are not those that the model was loaded with', {
      hint: 'give the same file, or load the other one as a model of its own',
    });
  }
  hearing.signal?.throwIfAborted();
  const executables = new Executables({ device, graphs, parameters, limits });
  await executables.compileAll(hearing.onProgress);
  hearing.signal?.throwIfAborted();
  const pools = poolsOf(model);
  const rowBytes = (device.info.float === 'f64' ? 8 : 4) * pools.reduce((sum, { elements }) => sum + elements, 0);
  const memory: ModelMemory = {
    parameterBytes: parameters.bytes - slots.rows * rowBytes,
    stateBytes: slots.rows * rowBytes,
    sessionBytes: 2 * rowBytes,
    // Some graphs are compiled later.
    get activationBytes() {
      return executables.bytes;
    },
  };
  const parts = { model, device, parameters, executables, pools, vocabularySize, width, limits };
  return {
    ...{ parts, memory },
    get fingerprint() {
      return fingerprint.digits;
    },
  };
}

function heldAs(source: WeightSource, type: WeightType | undefined): WeightSource {
  if (type === undefined) return source;
  return type === 'q8_0' || type === 'q4_0'
    ? quantizedSource(source, type)
    : convertTensors(source, { dtype: type, only: isBigMatrix });
}

function tokenizerOf(vocabulary: Vocabulary | undefined, vocabularySize: number): Tokenizer | undefined {
  if (vocabulary?.model === 'rwkv') return worldTokenizerFromTokens(vocabulary.tokens, vocabulary);
  return vocabulary === undefined && vocabularySize === 256 ? byteTokenizer() : undefined;
}

export interface OpenSource {
  readonly weights: WeightSource;
  /** What a file says about itself beyond its tensors. */
  readonly vocabulary: Vocabulary | undefined;
  readonly groupNormEps: number | undefined;
  close(): Promise<void>;
}

async function openSource(source: ModelSource, { signal, onProgress }: Hearing): Promise<OpenSource> {
  if (isObject(source) && 'tensors' in source) {
    return 'metadata' in source ? described(source, async () => {}) : bare(source);
  }
  return owned(await openCheckpoint(byteSourceOf(source), { signal, onProgress }));
}

/** A checkpoint that is closed when it has been read. */
export function owned(checkpoint: Checkpoint): OpenSource {
  return described(checkpoint, () => checkpoint.close());
}

function bare(weights: WeightSource): OpenSource {
  return { weights, vocabulary: undefined, groupNormEps: undefined, close: async () => {} };
}

function described(checkpoint: Checkpoint, close: () => Promise<void>): OpenSource {
  const { vocabulary, metadata } = checkpoint;
  const eps = Number(metadata['groupNormEps'] ?? Number.NaN);
  return { weights: checkpoint, vocabulary, groupNormEps: eps > 0 && Number.isFinite(eps) ? eps : undefined, close };
}

function byteSourceOf(source: Exclude<ModelSource, WeightSource>): ByteSource {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return bytesSource(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return blobSource(source);
  if (isObject(source) && 'read' in source && typeof source.read === 'function') return source;
  throw new ReceptanceError('BAD_SOURCE', `${describe(source)} is no source of a model`, {
    hint: 'give its bytes, a Blob or an open checkpoint; for a path use loadFile of receptance/node, for an address fetch it first',
  });
}

function describe(source: unknown): string {
  return typeof source === 'string' ? 'a string' : Object.prototype.toString.call(source);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw badOption(`${name} is ${value}`, `it must be a whole number from 1 to ${most}`);
}
