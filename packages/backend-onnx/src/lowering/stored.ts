/** A range of the data file. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/**
 * How a parameter lies in the data file. `plain`: numbers row by row, or of a matrix that is `turned` column by column. `blocks`: numbers of 8 or 4 bits along the last
 * axis in blocks of 32, and an f32 scale for each block: what q8_0 and q4_0 hold, to the same numbers. They are unsigned
 * about a middle, as `MatMulNBits` takes them, or signed, as the standard's `DequantizeLinear` does.
 */
export type StoredTensor =
  | {
      readonly kind: 'plain';
      readonly type: 'float32' | 'int32' | 'float16' | 'bfloat16';
      readonly shape: readonly number[];
      readonly turned: boolean;
      readonly data: Range;
    }
  | {
      readonly kind: 'blocks';
      readonly bits: 4 | 8;
      readonly signed: boolean;
      readonly shape: readonly [rows: number, columns: number];
      readonly data: Range;
      readonly scales: Range;
    };

/** Numbers under one scale. */
export const BLOCK_SIZE = 32;

/** Parameters by name, and the name of the file that they lie in. */
export interface DataFile {
  readonly file: string;
  /** The middle of unsigned numbers of 8 and of 4 bits, as often as the largest tensor has blocks: all of them share it. */
  readonly middles: ReadonlyMap<4 | 8, Range>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Whether any parameter is in blocks: every session lays these out anew, to multiply them fast. */
export function hasBlocks({ tensors }: DataFile): boolean {
  return [...tensors.values()].some(({ kind }) => kind === 'blocks');
}
