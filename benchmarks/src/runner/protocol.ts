import type { Optimiser } from '@receptance/train';
import type { ContextCost, OpComparison, OpTime, OpTimes, QualityFigures } from '../report/report.ts';
import type { InstructionTime } from '../training/instruction-times.ts';
import type { TrainingSize } from '../training/subject.ts';

/**
 * What is measured: one model on one backend, alone in a process, so that its memory and its faults are its own. Requests and
 * answers are lines of JSON on the standard input and output, which a program in any language can speak.
 */
export interface Job {
  /** A registered size, or the path of a checkpoint. */
  readonly model: string;
  readonly seed: number;
  /** Undefined: as the file has them. Ignored by programs that are given a file of that type. */
  readonly weights?: WeightName | undefined;
  readonly backend: string;
  readonly threads: number;
  readonly maxSequences: number;
}

export type WeightName = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';
export const WEIGHT_NAMES: readonly WeightName[] = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'];

export interface Opened {
  /** `rwkv7` and so on; of peers, what they say. */
  readonly architecture: string;
  readonly adapter: string;
  /** As many as really run. */
  readonly threads: number;
  readonly loadMs: number;
  /** Bytes of weights on the device, where the program knows. */
  readonly heldBytes?: number;
  readonly stateBytes?: number;
  /** What the process had at most before it loaded anything, where the program knows. */
  readonly beforeBytes?: number;
  readonly vocabularySize: number;
}

/** The requests by name: what each takes and answers. Times are in milliseconds. */
export interface Requests {
  readonly open: { readonly takes: Job; readonly answers: Opened };
  /** Reads a text of so many tokens from its start and brings the logits after the last to the host. */
  readonly prefill: { readonly takes: { readonly tokens: number }; readonly answers: number };
  /** Continues one text greedily. Answers when each token came, counted from the start. */
  readonly decode: {
    readonly takes: {
      readonly tokens: number;
      /** Tokens made without coming back to the host; left to the program when undefined. */
      readonly stepsPerRun?: number | undefined;
    };
    readonly answers: readonly number[];
  };
  /** Continues several texts together by so many tokens each. */
  readonly batch: { readonly takes: { readonly sequences: number; readonly tokens: number }; readonly answers: number };
  /** Appends so many tokens to the one text that `decode` continues. */
  readonly advance: { readonly takes: { readonly tokens: number }; readonly answers: number };
  /** Begins a text with a prompt of so many tokens: until its next token is on the host. */
  readonly firstToken: { readonly takes: { readonly tokens: number }; readonly answers: number };
  /** Most bytes that the process had in memory. */
  readonly memory: { readonly takes: Record<string, never>; readonly answers: number };
}

/** What only our own backends are asked; each opens what it needs itself. */
export interface Studies {
  readonly ops: { readonly takes: { readonly job: Job; readonly tokens: number }; readonly answers: OpTimes };
  readonly compareOp: {
    readonly takes: { readonly job: Job; readonly op: string; readonly tokens: number; readonly kernels: string };
    readonly answers: OpComparison;
  };
  readonly transformer: {
    readonly takes: { readonly job: Job; readonly contexts: readonly number[]; readonly tokens: number };
    readonly answers: readonly ContextCost[];
  };
  readonly quality: {
    readonly takes: { readonly job: Job; readonly types: readonly WeightName[]; readonly tokens: number };
    readonly answers: readonly QualityFigures[];
  };
}

export interface TrainOpened {
  readonly adapter: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** What the process had at most before anything of the model was there. */
  readonly beforeBytes?: number;
  readonly plan?: TrainingPlan;
}

/** Bytes that the plan of a step foresees. */
export interface TrainingPlan {
  readonly weights: number;
  readonly optimiser: number;
  /** All that a step makes. */
  readonly activations: number;
  /** Of that, where it is most: kept of the forward part, made again of it, made by the backward part. */
  readonly forward: number;
  readonly again: number;
  readonly backward: number;
}

/** Training: whole steps, and what they are made of. */
export interface Training {
  readonly trainOpen: {
    readonly takes: {
      readonly size: TrainingSize;
      readonly backend: string;
      readonly threads: number;
      /** Of our own trainer: peers have AdamW. */
      readonly optimiser?: Optimiser;
      readonly compiled?: boolean;
    };
    readonly answers: TrainOpened;
  };
  /** Times in milliseconds, losses before each step. */
  readonly trainSteps: {
    readonly takes: { readonly steps: number };
    readonly answers: { readonly times: readonly number[]; readonly losses: readonly number[] };
  };
  readonly trainOps: {
    readonly takes: {
      readonly size: TrainingSize;
      readonly backend: string;
      readonly threads: number;
      readonly runs: number;
    };
    readonly answers: readonly OpTime[];
  };
  /** A step's program on WASM, on one thread, instruction by instruction; `runs` are those of one step. */
  readonly trainProfile: {
    readonly takes: { readonly size: TrainingSize; readonly optimiser: Optimiser; readonly steps: number };
    readonly answers: readonly InstructionTime[];
  };
}

export type Protocol = Requests & Studies & Training;
export type RequestName = keyof Protocol;
/** The program behind some of the requests. */
export type Answering<Names extends RequestName> = {
  readonly [Name in Names]: (parameters: Protocol[Name]['takes']) => Promise<Protocol[Name]['answers']>;
};

export interface RequestLine {
  readonly request: RequestName;
  readonly parameters: unknown;
}

export type AnswerLine =
  | { readonly answer: unknown }
  | { readonly error: { readonly code?: string; readonly message: string; readonly hint?: string } };
