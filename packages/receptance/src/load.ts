import {
  type ByteSource,
  blobSource,
  bytesSource,
  type Checkpoint,
  openCheckpoint,
  type Vocabulary,
} from '@receptance/checkpoint';
import type {
  AbortSignalLike,
  Backend,
  BackendUnavailableError,
  Device,
  LanguageModel,
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
import { Engine } from './engine.ts';
import { fingerprinting } from './fingerprint.ts';
import { badOption } from './generate-options.ts';
import { Executables, graphsOf, poolsOf, type RunLimits } from './graphs.ts';
import { LoadedModel, type Model, type ModelMemory } from './model.ts';
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
  const { maxSequences = 4, chunk = 256, signal, onProgress } = options;
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
  const { weights, vocabulary, groupNormEps, close } = await openSource(source, options);
  try {
    signal?.throwIfAborted();
    const { tensors } = heldAs(weights, options.weights);
    const model = detectModel(tensors, groupNormEps === undefined ? {} : { groupNormEps });
    const tokenizer = options.tokenizer ?? tokenizerOf(vocabulary, model.vocabularySize);
    const device = await backend.open({ ...(signal && { signal }), ...(onProgress && { onProgress }) });
    try {
      return await prepare(model, weights, device, { ...options, tokenizer, maxSequences, maxBatch, chunk });
    } catch (error) {
      await device.close();
      throw error;
    }
  } finally {
    await close();
  }
}

function isList(backend: ModelOptions['backend']): backend is readonly Backend[] {
  return Array.isArray(backend);
}

interface Counts {
  readonly maxSequences: number;
  readonly maxBatch: number;
  readonly chunk: number;
}

async function prepare(
  model: LanguageModel,
  weights: WeightSource,
  device: Device,
  options: ModelOptions & Counts,
): Promise<Model> {
  const { maxSequences, maxBatch, chunk, signal, onProgress } = options;
  const { vocabularySize } = model;
  const slots = new Slots(maxSequences);
  const rows = Math.max(1, Math.min(chunk, Math.floor(LOGITS_PER_RUN / vocabularySize)));
  const batch = device.info.ragged ? Math.min(maxBatch, maxSequences) : 1;
  const limits: RunLimits = { chunk, rows, batch, slots: slots.rows };
  const graphs = graphsOf(model);
  const names = Object.values(graphs).flatMap((graph) => [...leaves(graph, 'parameter').keys()]);
  const read = fingerprinting(weights, names);
  const parameters = await device.loadParameters(heldAs(read.source, options.weights), Object.values(graphs), {
    limits: { Z: slots.rows },
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  const fingerprint = await read.fingerprint();
  signal?.throwIfAborted();
  const executables = new Executables({ device, graphs, parameters, limits });
  await executables.compileAll(onProgress);
  signal?.throwIfAborted();
  const pools = poolsOf(model);
  const engine = new Engine({ device, parameters, executables, pools, vocabularySize, width: model.width, limits });
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
  return new LoadedModel({
    model,
    engine,
    slots,
    fingerprint,
    tokenizer: options.tokenizer,
    device: device.info,
    memory,
  });
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

interface OpenSource {
  readonly weights: WeightSource;
  /** What a file says about itself beyond its tensors. */
  readonly vocabulary: Vocabulary | undefined;
  readonly groupNormEps: number | undefined;
  close(): Promise<void>;
}

async function openSource(source: ModelSource, { signal, onProgress }: ModelOptions): Promise<OpenSource> {
  if (isObject(source) && 'tensors' in source) {
    return 'metadata' in source ? described(source, async () => {}) : bare(source);
  }
  const checkpoint = await openCheckpoint(byteSourceOf(source), { signal, onProgress });
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
