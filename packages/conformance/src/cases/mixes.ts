import type { DType } from '@receptance/core';
import type { Tolerances } from '../compare.ts';
import { type LeafSpec, normal, type OpSpec, starts, uniform, weight } from '../spec.ts';
import { POOLED, total } from './time.ts';

/** What the halves of a block have in common: a chain of some ten roundings. */
export const MIX_TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 5e-5 } };

const LENGTHS: readonly (readonly number[])[] = [[1], [1, 1, 1], [3, 0, 1, 4], [0, 0], [17]];

/** Plain for each of `LENGTHS`, and on a pool for each of `POOLED`. */
export function everyWay(make: (lengths: readonly number[], pool?: OpSpec['pool']) => OpSpec): OpSpec[] {
  return [
    ...LENGTHS.map((lengths) => make(lengths)),
    ...POOLED.map(({ lengths, pool }): OpSpec => ({ ...make(lengths, pool), pool })),
  ];
}

/** A line for an op along time: tokens `x`, the state `prev` of the token shift, `starts`, and what else it takes. */
export function mixLine(
  op: string,
  name: string,
  lengths: readonly number[],
  C: number,
  inputs: OpSpec['inputs'],
  attrs: OpSpec['attrs'] = {},
): OpSpec {
  const common = { x: normal(['N', C]), prev: normal(['S', C]), starts: starts(lengths) };
  const sizes = { N: total(lengths), S: lengths.length };
  return { op, name, sizes, attrs, inputs: { ...common, ...inputs }, tolerances: MIX_TOLERANCES };
}

/** Mixing shares of these names. */
export function shares<Name extends string>(names: readonly Name[], C: number): Record<string, LeafSpec> {
  return Object.fromEntries(names.map((name) => [name, weight(uniform([C], 0, 1))]));
}

/** A matrix [rows, columns] that keeps the size of what it multiplies. */
export function matrix(rows: number, columns: number, dtype: DType = 'f32'): LeafSpec {
  return weight(normal([rows, columns], columns ** -0.5), dtype);
}

/** Square matrices of these names. */
export function matrices(names: readonly string[], C: number, dtype: DType = 'f32'): Record<string, LeafSpec> {
  return Object.fromEntries(names.map((name) => [name, matrix(C, C, dtype)]));
}

export function vector(C: number, scale = 1): LeafSpec {
  return weight(normal([C], scale));
}

/** The two halves of a low-rank projection, `<name>1` and `<name>2`. */
export function lowRank(name: string, C: number, rank: number): Record<string, LeafSpec> {
  return { [`${name}1`]: weight(normal([C, rank], 0.3)), [`${name}2`]: weight(normal([rank, C], 0.5)) };
}
