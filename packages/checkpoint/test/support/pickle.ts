import { u16, u32, u64, utf8 } from './zip.ts';

/** Operations of a pickle, as bytes. */
export type Ops = readonly number[];

export const MARK: Ops = [0x28];
export const NONE: Ops = [0x4e];
export const FALSE: Ops = [0x89];
export const EMPTY_TUPLE: Ops = [0x29];
export const EMPTY_DICT: Ops = [0x7d];
export const EMPTY_LIST: Ops = [0x5d];
export const TUPLE: Ops = [0x74];
export const APPEND: Ops = [0x61];
export const APPENDS: Ops = [0x65];
export const SETITEM: Ops = [0x73];
export const SETITEMS: Ops = [0x75];
export const REDUCE: Ops = [0x52];
export const BUILD: Ops = [0x62];
export const PERSID: Ops = [0x51];

/** A whole pickle of protocol 2. */
export function pickle(...ops: readonly Ops[]): Uint8Array {
  return Uint8Array.from([0x80, 2, ...ops.flat(), 0x2e]);
}

export function string(text: string): Ops {
  const bytes = utf8(text);
  return [0x58, ...u32(bytes.length), ...bytes];
}

export function integer(value: number | bigint): Ops {
  const number = Number(value);
  if (number >= 0 && number < 256) return [0x4b, number];
  if (number >= 0 && number < 65536) return [0x4d, ...u16(number)];
  return [0x8a, 8, ...u64(BigInt.asUintN(64, BigInt(value)))];
}

export function global(module: string, name: string): Ops {
  return [0x63, ...utf8(`${module}\n${name}\n`)];
}

export function put(index: number): Ops {
  return [0x72, ...u32(index)];
}

export function get(index: number): Ops {
  return [0x6a, ...u32(index)];
}

export function tuple(...items: readonly Ops[]): Ops {
  return [...MARK, ...items.flat(), ...TUPLE];
}

export function dict(...items: readonly (readonly [Ops, Ops])[]): Ops {
  return [...EMPTY_DICT, ...MARK, ...items.flat(2), ...SETITEMS];
}

export interface TensorToPickle {
  readonly key?: string;
  readonly storage?: string;
  readonly length: number | bigint;
  readonly offset?: number | bigint;
  readonly shape: readonly (number | bigint)[];
  readonly strides: readonly (number | bigint)[];
}

export function tensor({
  key = '0',
  storage = 'FloatStorage',
  length,
  offset = 0,
  shape,
  strides,
}: TensorToPickle): Ops {
  const id = tuple(string('storage'), global('torch', storage), string(key), string('cpu'), integer(length));
  const hooks = [...global('collections', 'OrderedDict'), ...EMPTY_TUPLE, ...REDUCE];
  const sizes = tuple(...shape.map(integer));
  const steps = tuple(...strides.map(integer));
  const args = tuple([...id, ...PERSID], integer(offset), sizes, steps, FALSE, hooks);
  return [...global('torch._utils', '_rebuild_tensor_v2'), ...args, ...REDUCE];
}
