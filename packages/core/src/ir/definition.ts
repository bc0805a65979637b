import type { GraphBuilder } from './builder.ts';
import type { Attrs, Dim, TensorType, Value } from './types.ts';

/** The names an op gives to what it takes and makes. Types only. */
export interface Signature {
  readonly inputs: string;
  readonly optional: string;
  readonly outputs: string;
  readonly attrs: Attrs;
}

/** The inputs of an op by name; for an op known only at run time, any names. */
export type InputsOf<S extends Signature> = string extends S['inputs']
  ? Readonly<Record<string, Value | undefined>>
  : { readonly [Name in S['inputs']]: Value } & { readonly [Name in S['optional']]?: Value | undefined };
export type OutputsOf<S extends Signature> = { readonly [Name in S['outputs']]: Value };
export type TypesOf<S extends Signature> = { readonly [Name in S['outputs']]: TensorType };
export type GradientsOf<S extends Signature> = {
  readonly [Name in S['inputs'] | S['optional']]?: Value | undefined;
};

/**
 * One input or output of an op. Its shape is a pattern: letters are bound by the first port that has them and must
 * agree everywhere after; `S+1` binds S; a number is itself; `*` is any shape (then `infer` decides).
 */
export interface Port {
  readonly shape: string;
  /** Of a table: the letter for how many of its rows are read or written at most, where not all are. */
  readonly touches?: string;
  /** `weight`: any stored type. `any`: f32 or i32. Default f32. */
  readonly dtype?: 'f32' | 'i32' | 'any' | 'weight';
  readonly doc: string;
}

/**
 * One attribute of an op. Numbers are finite. `size`: a whole number ≥ 1; `index`: one ≥ 0; `epsilon`: a number ≥ 0;
 * `dim`: a whole number ≥ 0 or a symbol; `shape`: several of them. A list of names: one of them.
 */
export interface AttrPort {
  readonly type:
    | ('number' | 'numbers' | 'size' | 'index' | 'indices' | 'epsilon')
    | ('boolean' | 'string' | 'dim' | 'shape')
    | readonly string[];
  readonly doc: string;
}

/** The letters of an op's shape patterns, bound. */
export type Dims = Readonly<Record<string, Dim>>;
/** The same, as numbers: for `cost`. */
export type DimSizes = Readonly<Record<string, number>>;

/**
 * An op: its documentation, its shapes and what core can do with it. `leaf` nodes are given from outside;
 * a `primitive` every backend must have; a `composite` is decomposed where a backend does not claim it.
 */
export interface OpDefinition<S extends Signature = Signature> {
  readonly kind: 'leaf' | 'primitive' | 'composite';
  readonly summary: string;
  /** In the field's notation; one line per step. */
  readonly formula: string;
  /** Where the formula comes from. */
  readonly source?: string;
  readonly inputs: Readonly<Record<S['inputs'], Port>>;
  readonly optional?: Readonly<Record<S['optional'], Port>>;
  readonly outputs: Readonly<Record<S['outputs'], Port>>;
  readonly attrs?: Readonly<Record<keyof S['attrs'], AttrPort>>;
  /** What must hold beyond the shapes, numbered from 1 in the docs. */
  readonly constraints?: readonly string[];
  /**
   * State inputs and the outputs that are their new values. A time op takes the optional input `slots: i32[S]`:
   * then its state inputs are pools `[Z, …]`, its state outputs the same pools updated in place, and sequence s uses
   * row slots[s]. Only the planner makes that form.
   */
  readonly state?: Readonly<Partial<Record<S['inputs'], S['outputs']>>>;
  /** Checks what patterns cannot say and gives the types of outputs whose pattern is `*`. Throws BAD_OP. */
  infer?(x: InputsOf<S>, attrs: S['attrs'], dims: Dims): Partial<TypesOf<S>>;
  decompose?(b: GraphBuilder, x: InputsOf<S>, attrs: S['attrs']): OutputsOf<S>;
  /**
   * Vector-Jacobian product: gradients of the inputs from those of the outputs (absent where nothing flows back).
   * An input left out has no gradient.
   */
  vjp?(
    b: GraphBuilder,
    x: InputsOf<S>,
    attrs: S['attrs'],
    y: OutputsOf<S>,
    g: { readonly [Name in S['outputs']]?: Value | undefined },
  ): GradientsOf<S>;
  /**
   * Floating-point operations, from the letters bound, the number of elements of each output and the shapes of the
   * inputs; by default one for each element of the outputs. Bytes follow from the types.
   */
  flops?(
    dims: DimSizes,
    attrs: S['attrs'],
    elements: { readonly [Name in S['outputs']]: number },
    shapes: { readonly [Name in S['inputs']]: readonly number[] },
  ): number;
}
