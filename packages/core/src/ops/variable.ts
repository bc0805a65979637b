import type { OpDefinition } from '../ir/definition.ts';
import { COMPUTED_DTYPES, type LeafSignature, leafDefinition } from './input.ts';

export const variable: OpDefinition<LeafSignature> = leafDefinition(
  'A tensor that stays on the device between runs; a graph may declare its new value. Zero when no source has it.',
  COMPUTED_DTYPES,
);
