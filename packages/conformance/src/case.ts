import { BLOCKS, definitionOf, type Graph, type Loop, type Sizes, type WeightSource } from '@receptance/core';
import type { Tolerances } from './compare.ts';
import { memorySource } from './weights.ts';

/** Numbers of an input or an expected output, row-major. */
export type Numbers = Float32Array | Float64Array | Int32Array;

/** One thing that must hold on every backend, as data: a graph, what it is given, and what must come out. */
export interface Case {
  /** Stable and unique, coarse to fine: `wkv7/f32/N=32,S=2,H=2`. */
  readonly id: string;
  readonly graph: Graph;
  /** Of every symbol but those of variables. */
  readonly sizes: Sizes;
  /** What is compiled for; by default a little more than `sizes`, so that both are told apart. */
  readonly limits?: Sizes;
  readonly inputs: Readonly<Record<string, Numbers>>;
  /** Parameters, and the first values of variables (none: zeros). */
  readonly weights?: WeightSource;
  /** What must come out. `reference`: what the reference backend makes of the same case. */
  readonly expected: 'reference' | Expected;
  /** By default `TOLERANCES`. */
  readonly tolerances?: Tolerances;
  /** Of single outputs or variables, by name. */
  readonly tolerancesOf?: Readonly<Record<string, Tolerances>>;
  readonly loop?: Loop;
  /** Runs once only, where a second run over used memory would take long and show nothing more: whole models. */
  readonly once?: boolean;
}

/** Stored results. Variables that are not named are not looked at. */
export interface Expected {
  readonly outputs: Readonly<Record<string, ArrayLike<number>>>;
  readonly variables?: Readonly<Record<string, ArrayLike<number>>>;
  /** Names of those that were computed in f64 but stored in f32. */
  readonly roundedToF32?: readonly string[];
}

/** A few roundings of sums of tens of terms. */
export const TOLERANCES: Tolerances = {
  f64: { nmse: 1e-24, maxAbs: 1e-11 },
  f32: { nmse: 1e-11, maxAbs: 2e-5 },
};

/**
 * Where weights in blocks are multiplied: a device of f32 may hold what they are multiplied with in 16 bits, one scale to a
 * block. That costs 4e-10 of NMSE a product, some twenty times as much after a chain of them.
 */
export const BLOCK_TOLERANCE: Tolerances['f32'] = { nmse: 5e-8, maxAbs: 3e-4 };

/**
 * Where a device rounds activations to 8 bits: some 1 % of the largest number, and an NMSE that moves perplexity by less than a
 * thousandth. It may be no worse for a whole model than for a product.
 */
export const EIGHT_BIT_TOLERANCE: Tolerances['f32'] = { nmse: 5e-4, maxAbs: 3e-2 };

/** Whether a graph multiplies by weights in blocks. Picking their rows rounds nothing. */
export function multipliesBlocks({ nodes }: Graph): boolean {
  return nodes.some(
    ({ op, inputs }) => op !== 'gather' && Object.values(inputs).some(({ dtype }) => BLOCKS[dtype].elements > 1),
  );
}

/** For results that are moved or chosen, not computed. */
export const EXACT: Tolerances = { f64: { nmse: 0, maxAbs: 0 }, f32: { nmse: 0, maxAbs: 0 } };

export const NO_WEIGHTS: WeightSource = memorySource({});

/** The ops that a graph puts to the test: all but its leaves. */
export function opsOf(graph: Graph): string[] {
  const names = graph.nodes.map((node) => node.op).filter((op) => definitionOf(op).kind !== 'leaf');
  return [...new Set(names)];
}
