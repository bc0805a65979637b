/** What the main thread asks of the thread that holds ONNX Runtime. Buffers and sessions go by number. */
export type Request =
  | { readonly kind: 'alloc'; readonly buffer: number; readonly data: Numbers }
  | { readonly kind: 'free'; readonly buffer: number }
  | { readonly kind: 'write'; readonly buffer: number; readonly data: Numbers; readonly offset: number }
  | {
      readonly kind: 'copy';
      readonly from: number;
      readonly fromOffset: number;
      readonly to: number;
      readonly toOffset: number;
      readonly elements: number;
    }
  | { readonly kind: 'read'; readonly buffer: number; readonly offset: number; readonly elements: number }
  | {
      readonly kind: 'open';
      readonly session: number;
      /** Where the model goes, beside its data file. */
      readonly path: string;
      readonly model: Uint8Array;
      /** The model's data file, where it has one. */
      readonly data?: WrittenFile;
      readonly options: SessionOptions;
    }
  | { readonly kind: 'release'; readonly session: number }
  | {
      readonly kind: 'run';
      readonly session: number;
      /** The work by which number it goes. */
      readonly number: number;
      /** Left out where it is what last went by the number. */
      readonly work?: Work;
    }
  | { readonly kind: 'end' };

/** What a session is to do. */
export interface Work {
  /** How often, one after the other. */
  readonly steps: number;
  readonly feeds: readonly TensorFeed[];
  readonly fetches: readonly TensorFetch[];
}

export type Numbers = Float32Array | Int32Array;

/** A file as it was when it was written: another size or time says that it was changed since. */
export interface WrittenFile {
  readonly path: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** Options of `InferenceSession.create`, as they are given to it. */
export type SessionOptions = Readonly<Record<string, unknown>>;

/** Rows of a pool that the numbers in a buffer choose. */
export interface PoolRows {
  readonly pool: number;
  readonly slots: number;
  readonly count: number;
  /** Elements of a row. */
  readonly size: number;
  readonly poolRows: number;
}

export interface TensorFeed {
  readonly name: string;
  readonly dims: readonly number[];
  readonly from: BufferRange | { readonly rows: PoolRows } | { readonly int64: number };
  /** The output that it is of the step before, from the second step on. */
  readonly carried?: string | undefined;
}

/** As many elements as a tensor has, of a buffer; `stride` of them further on in every step. */
export interface BufferRange {
  readonly buffer: number;
  readonly offset: number;
  readonly stride: number;
}

export interface TensorFetch {
  readonly name: string;
  readonly type: 'float32' | 'int32';
  readonly dims: readonly number[];
  /**
   * `staged`: made elsewhere first, since the run also reads the buffer. What is staged, and rows, are those of the last step.
   * `reader`: rows stay on the GPU, from where this session brings them when they are asked for.
   */
  readonly to:
    | (BufferRange & { readonly staged: boolean })
    | { readonly rows: PoolRows; readonly reader?: number | undefined };
}

export interface Envelope {
  readonly id: number;
  readonly request: Request;
}

/** Of a request that waits for one. */
export interface Reply {
  readonly id: number;
  readonly data?: Numbers;
  readonly error?: Failure;
}

export interface Failure {
  /**
   * `missing`: the package is not installed; `data`: a data file is not what was written; `write`: a model cannot be written; `open`: a
   * session does not open; `run`: it does not run.
   */
  readonly at: 'missing' | 'data' | 'write' | 'open' | 'run';
  readonly message: string;
}

/** The first message of the thread. */
export interface Ready {
  readonly ready: true;
  readonly version: string;
}
