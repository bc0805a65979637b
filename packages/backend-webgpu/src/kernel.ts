import {
  type Cost,
  concreteShape,
  type InputsOf,
  type Kernel,
  type OpName,
  type OutputsOf,
  type Signature,
  type SignatureOf,
  type Sizes,
  sizeOf,
  type Value,
} from '@receptance/core';
import type { Memory } from './memory.ts';
import type { Tuning } from './tuning.ts';
import type { Weight } from './weight.ts';

/** WGSL with one entry point `main`; the prelude is put before it. */
export interface Shader {
  readonly name: string;
  readonly code: string;
}

/** Memory that the programs of one node share and nobody else sees. Its content at the start is anything. */
export interface Scratch {
  readonly scratch: number;
  /** Four-byte elements; grows with every size. */
  elements(sizes: Sizes): number;
}

/** What a program works on: a value of the graph (a weight as row-major f32), its own scratch, or memory of weights. */
export type Operand = Value | Scratch | Memory;

/** What a shader sees as `@group(0) @binding(1 + i)`: `read` is `var<storage, read>`, `write` is `read_write`. */
export interface Binding {
  readonly operand: Operand;
  readonly access: 'read' | 'write';
}

/** How much of a program runs at given sizes. */
export interface Launch {
  /** In all; folded into two dimensions where one does not hold them. 0: the program is left out. */
  readonly workgroups: number;
  /** Words of the uniform `params` at binding 0, at most 64; floats by `floatBits`. */
  readonly params: readonly number[];
}

/**
 * One dispatch. What is known at compile time goes into `constants` (override constants of the shader, one pipeline for
 * each set); what depends on symbol sizes goes into `params`.
 */
export interface Program {
  readonly shader: Shader;
  readonly constants?: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  launch(sizes: Sizes): Launch;
  /** Least bytes moved, and operations, where they are other than those of reading and writing all values bound: with weights. */
  cost?(sizes: Sizes): Cost;
}

/**
 * How an op is computed: the programs that one node becomes, run in order, each seeing what the ones before it wrote.
 * A kernel with several ways for several sizes makes a program of each and lets all but one launch no workgroup.
 */
export interface WebGpuKernel<S extends Signature = Signature> extends Kernel {
  lower(x: InputsOf<S>, y: OutputsOf<S>, attrs: S['attrs'], context: LowerContext): readonly Program[];
}

/** What a kernel may ask of the device and of what it has loaded. */
export interface LowerContext extends Tuning {
  /** How a weight lies in GPU memory; a value that is no loaded weight lies as row-major f32. */
  weight(value: Value): Weight;
  /** The largest sizes that will be run: a way for larger ones need not be made. */
  readonly limits: Sizes;
}

export type KernelOf<Op extends OpName> = WebGpuKernel<SignatureOf<Op>>;

/** Storage buffers that every adapter lets one dispatch see. */
export const MAX_STORAGE_BUFFERS = 8;
/** Bytes of `params` of one program: the offset alignment that every adapter accepts. */
export const PARAMS_BYTES = 256;
/** Invocations of a workgroup where a shader does not say otherwise: the prelude's `WG`. */
export const WORKGROUP = 64;
/** The largest workgroup that every adapter runs. */
export const MAX_WORKGROUP = 256;

export function read(operand: Operand): Binding {
  return { operand, access: 'read' };
}

export function write(operand: Operand): Binding {
  return { operand, access: 'write' };
}

/** Workgroups for one invocation an element. */
export function perElement(elements: number): number {
  return Math.ceil(elements / WORKGROUP);
}

/** Size of an axis, counted from the end when negative. */
export function axisSize(value: Value, axis: number, sizes: Sizes): number {
  return sizeOf(value.shape.at(axis) ?? 1, sizes);
}

/** Elements of the axes before the last: rows. */
export function rowCount(value: Value, sizes: Sizes): number {
  return concreteShape(value.shape.slice(0, -1), sizes).reduce((product, size) => product * size, 1);
}

const number = new Float32Array(1);
const word = new Uint32Array(number.buffer);

/** The word of `params` that a shader reads as f32. */
export function floatBits(value: number): number {
  number[0] = value;
  return word[0] ?? 0;
}
