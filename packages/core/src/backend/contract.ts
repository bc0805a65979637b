import type { Graph, Node, Sizes } from '../ir/types.ts';
import type { MemoryReport } from '../plan/plan.ts';
import type { AbortSignalLike, ProgressListener, WeightSource } from '../weights/weights.ts';

/**
 * The contract between core and a backend.
 *
 * A backend is a value that an app passes in; nothing registers itself. It opens a device; a device loads a model's
 * weights once, compiles any number of graphs over them, and runs those. A device knows graphs, not models: sessions,
 * sampling settings, tokenizers and training loops live above. It never changes what a graph means; it may only say,
 * through `supports`, which nodes it runs as they are.
 */
export interface Backend {
  readonly specVersion: 1;
  readonly name: string;
  /** @throws BackendUnavailableError that says why not on this machine and what to do. */
  open(options?: OpenOptions): Promise<Device>;
}

export interface OpenOptions {
  readonly signal?: AbortSignalLike;
  readonly onProgress?: ProgressListener;
}

export interface DeviceInfo {
  readonly backend: string;
  /** What a person would call it: the GPU, the SIMD variant. */
  readonly adapter: string;
  readonly threads: number;
  /** In what activations are held and returned by `read`. */
  readonly float: 'f32' | 'f64';
  /** False when all sequences of a run must be equally long. */
  readonly ragged: boolean;
  /** Of a device that rounds activations to 8 bits where they meet weights in blocks; others take them as they are. */
  readonly blockActivations?: 'int8';
}

/** Numbers on the host. A device whose `float` is f64 returns Float64Array for f32 tensors. */
export type HostArray = Float32Array | Float64Array | Int32Array;

/**
 * Memory of a device, opaque: a device knows its own and refuses others' (`FOREIGN_OBJECT`); so too for `Parameters`
 * and `Executable`. Offsets and lengths count elements.
 */
export interface DeviceBuffer {
  readonly dtype: 'f32' | 'i32';
  readonly elements: number;
}

/** A model's weights and variables on a device. */
export interface Parameters {
  /** Bytes held on the device. */
  readonly bytes: number;
  /** State pools and trained tensors: to read, write and copy between runs. */
  readonly variables: ReadonlyMap<string, DeviceBuffer>;
  free(): void;
}

/** A graph made ready for a device, for sizes up to `limits`. */
export interface Executable {
  /** As planned: what the device really runs. */
  readonly graph: Graph;
  readonly limits: Sizes;
  readonly memory: MemoryReport;
  free(): void;
}

export interface LoadOptions {
  /** Sizes of the symbols in the shapes of variables: `Z`, the slots of the state pools. */
  readonly limits?: Sizes;
  readonly signal?: AbortSignalLike;
  readonly onProgress?: ProgressListener;
}

/** What a run is given: a size for every symbol but those fixed at load, and a buffer for every input and output. */
export interface Bindings {
  readonly sizes: Sizes;
  readonly inputs: Readonly<Record<string, DeviceBuffer>>;
  readonly outputs: Readonly<Record<string, DeviceBuffer>>;
}

/**
 * Several steps without coming back to the host. Between two steps the outputs in `carry` become inputs:
 * `{ tokens: 'next' }`; what the buffer of such an input holds afterwards is the device's own. An input in `feed` holds the values of all steps, one after the other; so does, at the end, an
 * output in `collect`; other outputs hold the last step's.
 */
export interface Loop {
  readonly steps: number;
  readonly carry: Readonly<Record<string, string>>;
  readonly feed: readonly string[];
  readonly collect: readonly string[];
}

/**
 * A place where graphs run. Calls take effect in the order they are made. `write`, `copy` and `run` may return before
 * the work is done; `read` waits for all that was asked before it. An error of the device itself rejects the next
 * promise. A device may compute within the call: who makes many lets the event loop in between them.
 *
 * Codes of all devices: `FOREIGN_OBJECT` (of another device, or freed), `OUT_OF_RANGE`, `OUT_OF_MEMORY`, `DEVICE_CLOSED`,
 * `DEVICE_ERROR` (what a driver or a kernel met; the device may be closed by it).
 */
export interface Device {
  readonly info: DeviceInfo;
  /** The only statement of capability: `true`, or the reason why not. */
  supports(node: Node): true | string;
  /**
   * Brings the leaves of all `uses` to the device, once per model. Parameters come from the source; variables too where
   * it has them, else they are 0. A type without a kernel is widened exactly, never requantised.
   * @throws ReceptanceError `MISSING_TENSOR`, `SHAPE_MISMATCH`, `UNSUPPORTED_DTYPE`, before anything is allocated.
   */
  loadParameters(source: WeightSource, uses: readonly Graph[], options?: LoadOptions): Promise<Parameters>;
  /**
   * Plans a graph and makes its kernels ready.
   * @param limits the largest size of every symbol, but those in the shapes of variables: they were fixed at load
   * @throws UnsupportedOpError when a primitive has no kernel; ReceptanceError `BAD_LIMITS`; `MISSING_TENSOR` or
   * `BAD_GRAPH` for a leaf that was not loaded, or was loaded with another type
   */
  compile(graph: Graph, parameters: Parameters, limits: Sizes, options?: OpenOptions): Promise<Executable>;
  /** Zeroed memory. */
  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset?: number): void;
  read(buffer: DeviceBuffer, offset?: number, elements?: number): Promise<HostArray>;
  /** Within a buffer or between two of the same dtype: how a state is forked or snapshot. Ranges must not overlap. */
  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void;
  /**
   * Runs a graph once, or `loop.steps` times.
   * @throws ReceptanceError `BAD_BINDINGS` for a missing, short or aliased buffer or a size beyond the limits.
   */
  run(executable: Executable, bindings: Bindings, loop?: Loop): Promise<void>;
  close(): Promise<void>;
}
