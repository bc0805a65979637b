/** What the page and the worker say to each other. Everything here survives `structuredClone`. */
import type { Progress } from '@receptance/core';
import type { Sampling, WeightType } from 'receptance';
import type { LayerTrace } from '../inside/trace.ts';
import type { Kind, TextNode } from '../store/tree.ts';

export type BackendName = 'wasm' | 'webgpu' | 'reference';
/** `auto` leaves the choice to the worker. */
export type BackendWish = BackendName | 'auto';

/** Where a model comes from. A `File` is passed by reference, never copied. */
export type ModelRef =
  | { readonly kind: 'bundled' }
  | { readonly kind: 'file'; readonly file: File; readonly vocabulary?: File | undefined }
  | { readonly kind: 'stored'; readonly id: string };

export interface OpenRequest {
  readonly model: ModelRef;
  readonly backend: BackendWish;
  readonly weights?: WeightType | undefined;
}

/** Why a backend runs the model, in words. */
export interface BackendChoice {
  readonly backend: BackendName;
  readonly why: string;
  /** All that there are, when left out. */
  readonly threads?: number;
}

export interface ModelSummary {
  readonly name: string;
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  readonly fingerprint: string;
  /** Whether text can be typed; token ids otherwise. */
  readonly hasTokenizer: boolean;
  /** Bytes of the file. */
  readonly fileBytes: number;
  readonly parameterBytes: number;
  /** Bytes of one text's state, whatever its length. */
  readonly stateBytes: number;
  readonly adapter: string;
  readonly threads: number;
  readonly choice: BackendChoice;
  /** Milliseconds from the request to a model that can write. */
  readonly openMs: number;
}

/** What was found out about a backend on this machine. */
export interface Verdict {
  readonly backend: BackendName;
  readonly works: boolean;
  /** The GPU or the SIMD variant, or why it does not open. */
  readonly detail: string;
  readonly hint?: string | undefined;
  readonly software: boolean;
  readonly openMs: number;
}

export interface TokenChoice {
  readonly text: string;
  readonly probability: number;
}

export interface PieceMessage {
  readonly token: number;
  readonly text: string;
  /** In [0, 1], where probabilities were asked for. */
  readonly probability?: number;
  readonly likeliest?: readonly TokenChoice[];
}

export interface GenerateRequest {
  /** The node whose state is continued; undefined is the empty text. */
  readonly from: string | undefined;
  /** The node that will hold the state afterwards. */
  readonly to: string;
  readonly prompt: string | readonly number[];
  readonly chat: boolean;
  readonly maxTokens: number;
  readonly greedy: boolean;
  readonly seed: number;
  readonly sampling: Sampling;
  /** How many likeliest tokens come with each, or none. */
  readonly likeliest: number | undefined;
}

export type GenerateEvent =
  | { readonly kind: 'pieces'; readonly pieces: readonly PieceMessage[]; readonly at: number }
  /** The device was lost: the text of this call begins anew on another. */
  | { readonly kind: 'restarted'; readonly why: string; readonly model: ModelSummary };

export interface GenerateResult {
  readonly finish: 'stop' | 'length' | 'stopped';
  readonly tokens: number;
  /** Tokens of the whole text, with what was read. */
  readonly length: number;
  readonly firstTokenMs: number;
  /** After the first token. */
  readonly tokensPerSecond: number;
}

export interface StateFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ImportedState {
  readonly length: number;
  /** The end of the text that it remembers, as far as it is kept. */
  readonly tail: string;
}

/** A step of a text that is kept in this browser, beside its state. */
export interface KeptStep {
  readonly kind: Kind;
  readonly node: TextNode;
}

/** A model kept in this browser. */
export interface StoredModel {
  readonly id: string;
  readonly name: string;
  readonly url?: string | undefined;
  /** Bytes of the whole file, as far as the server said. */
  readonly size: number;
  readonly received: number;
  readonly complete: boolean;
  /** Of the complete file. */
  readonly sha256?: string | undefined;
  /** Whether somebody vouched for that hash: the person, or the server. */
  readonly vouched?: boolean | undefined;
  readonly vocabulary?: string | undefined;
}

export interface StorageReport {
  readonly models: readonly StoredModel[];
  readonly usage: number;
  readonly quota: number;
}

export interface DownloadRequest {
  readonly url: string;
  readonly sha256?: string | undefined;
}

export interface TraceRequest {
  readonly text: string | readonly number[];
  readonly layer: number;
}

export interface TraceResult {
  readonly trace: LayerTrace;
  readonly tokens: readonly string[];
}

/** What a token costs after texts of a length. */
export interface ContextPoint {
  readonly context: number;
  readonly milliseconds: number;
  readonly memoryBytes: number;
}

export interface ContextEvent {
  readonly rwkv: readonly ContextPoint[];
  readonly transformer: readonly ContextPoint[];
}

/** What is learned: a small model from nothing, the open model's initial state, or all its weights. */
export type TrainKind = 'new' | 'state' | 'full';

export interface TrainRequest {
  readonly what: TrainKind;
  readonly text: string;
  readonly steps: number;
  readonly model: ModelRef;
  readonly backend: BackendName;
  /** Of a new model. */
  readonly layers: number;
  readonly width: number;
}

export interface TrainStep {
  readonly step: number;
  readonly steps: number;
  /** Nats per token. */
  readonly loss: number;
  readonly tokensPerSecond: number;
}

export type TrainEvent = ({ readonly kind: 'step' } & TrainStep) | ({ readonly kind: 'progress' } & Progress);

interface Call<Request, Event, Result> {
  readonly request: Request;
  readonly event: Event;
  readonly result: Result;
}

/** Every call of the worker. */
export interface Api {
  open: Call<OpenRequest, Progress, ModelSummary>;
  verdicts: Call<undefined, Verdict, readonly Verdict[]>;
  generate: Call<GenerateRequest, GenerateEvent, GenerateResult>;
  /** Keeps a step whose state is known. */
  remember: Call<KeptStep, never, undefined>;
  /** What is kept of texts of the model with this fingerprint, in the order it was made; states of others are let go. */
  recall: Call<string, never, readonly KeptStep[]>;
  forget: Call<readonly string[] | 'everything', never, undefined>;
  exportState: Call<string, never, StateFile>;
  importState: Call<{ readonly file: File; readonly to: string }, never, ImportedState>;
  stored: Call<undefined, never, StorageReport>;
  download: Call<DownloadRequest, Progress, StoredModel>;
  keep: Call<{ readonly file: File; readonly vocabulary?: File | undefined }, Progress, StoredModel>;
  verify: Call<string, Progress, { readonly intact: boolean }>;
  remove: Call<string, never, undefined>;
  trace: Call<TraceRequest, never, TraceResult>;
  /** Begins a training, or goes on with the one that was paused. */
  train: Call<TrainRequest | undefined, TrainEvent, { readonly done: boolean }>;
  trained: Call<undefined, never, Uint8Array<ArrayBuffer>>;
  endTraining: Call<undefined, never, undefined>;
  contexts: Call<readonly number[], ContextEvent, ContextEvent>;
}

export type ApiName = keyof Api;

/** An error as data. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly name: ApiName; readonly request: unknown }
  | { readonly kind: 'abort'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };
