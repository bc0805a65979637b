import { quote } from '../errors.ts';
import { badPickle, unsafePickle } from './errors.ts';
import type { ElementType, PickleValue, Storage, Tensor } from './values.ts';
import { isObject } from './values.ts';

/** PyTorch's own limit. A tuple or a string may be recalled by any number of tensors, so that its length counts often. */
const MOST_AXES = 64;
const LONGEST_KEY = 64;

/** What the pickle calls: the makers of a dictionary, a tensor, a parameter. */
export function reduce(file: string, callee: PickleValue, args: PickleValue): PickleValue {
  if (!isObject(callee, 'global') || !isObject(args, 'tuple')) throw badPickle(file, 'it calls what is no function');
  const { items } = args;
  switch (callee.is.kind) {
    case 'orderedDict':
      if (items.length > 0) throw badPickle(file, 'it makes a dictionary with arguments');
      return { kind: 'dict', entries: new Map() };
    case 'rebuildTensor':
      return rebuildTensor(file, items.slice(0, 6), items[6]);
    case 'rebuildTypedTensor':
      return rebuildTensor(file, items.slice(0, 6), items[7], items[6]);
    case 'rebuildParameter': {
      const [data] = items;
      if (!isObject(data, 'tensor') || items.length !== 3) throw badPickle(file, 'a parameter is not made of a tensor');
      return data;
    }
    case 'type':
      throw unsafePickle(file, `calls ${quote(callee.name)}`);
  }
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])`; v3 has a dtype before the last. */
function rebuildTensor(
  file: string,
  args: readonly PickleValue[],
  metadata: PickleValue | undefined,
  type?: PickleValue,
): Tensor {
  const [storage, offset, size, stride] = args;
  const shape = sizes(size);
  const strides = sizes(stride);
  if (!isObject(storage, 'storage') || !isSize(offset) || shape === undefined || strides === undefined) {
    throw badPickle(file, 'a tensor is not made of a storage, an offset, a size and strides');
  }
  if (args.length !== 6 || shape.length !== strides.length) {
    throw badPickle(file, 'a tensor has arguments missing, or not as many strides as sizes');
  }
  // Marks a view as conjugated or negated, among others: its bytes are then not its values.
  const isPlain =
    metadata === undefined || metadata === null || (isObject(metadata, 'dict') && metadata.entries.size === 0);
  if (!isPlain) throw unsafePickle(file, 'gives a tensor further properties');
  return {
    kind: 'tensor',
    storage,
    type: type === undefined ? storage.type : elementType(file, type),
    offset,
    shape,
    strides,
  };
}

/** The persistent id `('storage', type, key, location, length)`. Where the tensor was, such as `cuda:0`, is no matter. */
export function persistentStorage(file: string, id: PickleValue): Storage {
  if (!isObject(id, 'tuple')) throw badPickle(file, 'a storage is not named by a tuple');
  const [tag, type, key, location, length] = id.items;
  if (tag !== 'storage' || id.items.length !== 5 || typeof key !== 'string' || typeof location !== 'string') {
    throw badPickle(file, 'a storage is not named by type, key, location and length');
  }
  if (!isSize(length) || key.length > LONGEST_KEY) {
    throw badPickle(file, `the storage ${quote(key)} has no length, or too long a name`);
  }
  return { kind: 'storage', key, type: elementType(file, type), length };
}

function elementType(file: string, value: PickleValue | undefined): ElementType {
  if (!isObject(value, 'global') || value.is.kind !== 'type') throw badPickle(file, 'a type is not one');
  return value.is.type;
}

function sizes(value: PickleValue | undefined): readonly number[] | undefined {
  if (!isObject(value, 'tuple') || value.items.length > MOST_AXES) return undefined;
  return value.items.every(isSize) ? value.items : undefined;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}
