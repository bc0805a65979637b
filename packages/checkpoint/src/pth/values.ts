import type { DType } from '@receptance/core';

/** What a pickle of tensors can hold. Nothing else is ever made from one. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | Global
  | Storage
  | Tensor;

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** One of the few names that may occur; see globals.ts. */
export interface Global {
  readonly kind: 'global';
  readonly name: string;
  readonly is: GlobalMeaning;
}

export type GlobalMeaning =
  | { readonly kind: 'orderedDict' }
  | { readonly kind: 'rebuildTensor' }
  | { readonly kind: 'rebuildTypedTensor' }
  | { readonly kind: 'rebuildParameter' }
  | { readonly kind: 'type'; readonly type: ElementType };

/** A type of numbers as torch names it. `dtype` is undefined for one that no weight can have here. */
export interface ElementType {
  readonly name: string;
  readonly dtype: DType | undefined;
}

/** The bytes that tensors are views of: the archive's entry `data/<key>`. */
export interface Storage {
  readonly kind: 'storage';
  readonly key: string;
  readonly type: ElementType;
  /** Numbers of `type`; bytes where the storage has no type of its own. */
  readonly length: number;
}

export interface Tensor {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly type: ElementType;
  /** In elements, like the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function isObject<K extends 'tuple' | 'list' | 'dict' | 'global' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}
