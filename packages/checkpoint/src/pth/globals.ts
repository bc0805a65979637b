import type { DType } from '@receptance/core';
import type { ElementType, GlobalMeaning } from './values.ts';

/** The type of bytes without a type: newer types of tensors are views of such storages. */
export const UNTYPED: ElementType = { name: 'torch.UntypedStorage', dtype: undefined };

const STORAGES: readonly (readonly [string, DType | undefined])[] = [
  ['FloatStorage', 'f32'],
  ['DoubleStorage', 'f64'],
  ['HalfStorage', 'f16'],
  ['BFloat16Storage', 'bf16'],
  ['IntStorage', 'i32'],
  ['LongStorage', undefined],
  ['ShortStorage', undefined],
  ['CharStorage', undefined],
  ['ByteStorage', undefined],
  ['BoolStorage', undefined],
  ['ComplexFloatStorage', undefined],
  ['ComplexDoubleStorage', undefined],
];

const DTYPES: readonly (readonly [string, DType | undefined])[] = [
  ['float32', 'f32'],
  ['float64', 'f64'],
  ['float16', 'f16'],
  ['bfloat16', 'bf16'],
  ['int32', 'i32'],
  ['uint16', undefined],
  ['uint32', undefined],
  ['uint64', undefined],
  ['float8_e4m3fn', undefined],
  ['float8_e4m3fnuz', undefined],
  ['float8_e5m2', undefined],
  ['float8_e5m2fnuz', undefined],
  ['float8_e8m0fnu', undefined],
];

/**
 * Every name a pickle may mention, and what it means here. torch.save writes these for dictionaries of tensors and
 * parameters; a name that is not here is refused, and no name is ever looked up anywhere else.
 */
export const GLOBALS: ReadonlyMap<string, GlobalMeaning> = new Map<string, GlobalMeaning>([
  ['collections.OrderedDict', { kind: 'orderedDict' }],
  ['torch._utils._rebuild_tensor_v2', { kind: 'rebuildTensor' }],
  ['torch._utils._rebuild_tensor_v3', { kind: 'rebuildTypedTensor' }],
  ['torch._utils._rebuild_parameter', { kind: 'rebuildParameter' }],
  ['torch.storage.UntypedStorage', { kind: 'type', type: UNTYPED }],
  ['torch.UntypedStorage', { kind: 'type', type: UNTYPED }],
  ['torch.storage.TypedStorage', { kind: 'type', type: { name: 'torch.TypedStorage', dtype: undefined } }],
  ...[...STORAGES, ...DTYPES].map(
    ([name, dtype]) => [`torch.${name}`, { kind: 'type', type: { name: `torch.${name}`, dtype } }] as const,
  ),
]);
