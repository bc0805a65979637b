import type { OpDefinition } from '../ir/definition.ts';
import { BLOCKS, type DType } from '../weights/weights.ts';
import { type LeafSignature, leafDefinition } from './input.ts';

export const parameter: OpDefinition<LeafSignature> = leafDefinition(
  'A frozen weight as it is stored; the device picks one layout over all its uses.',
  Object.keys(BLOCKS) as DType[],
);
