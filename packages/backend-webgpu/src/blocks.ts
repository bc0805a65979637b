import { BLOCKS, type DType } from '@receptance/core';

/** Numbers and scales of blocks, each one after the other: so both are read by whole words. */
export interface SplitBlocks {
  readonly numbers: Uint8Array<ArrayBuffer>;
  /** f16, one a block. */
  readonly scales: Uint16Array<ArrayBuffer>;
}

/** Splits blocks of q8_0 or q4_0 as they are stored; those of q5_0 become the same numbers in q8_0. */
export function splitBlocks(dtype: DType, bytes: Uint8Array): SplitBlocks {
  const stored = BLOCKS[dtype].bytes;
  const count = Math.floor(bytes.byteLength / stored);
  const each = dtype === 'q5_0' ? 32 : stored - 2;
  const numbers = new Uint8Array(count * each);
  const scales = new Uint16Array(count);
  for (let block = 0; block < count; block++) {
    const at = block * stored;
    scales[block] = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    if (dtype === 'q5_0') numbers.set(fiveBits(bytes.subarray(at + 2, at + stored)), block * each);
    else numbers.set(bytes.subarray(at + 2, at + stored), block * each);
  }
  return { numbers, scales };
}

/** 32 numbers from −16 to 15: 32 high bits, then 16 bytes of two low halves, of number j and j + 16. */
function fiveBits(block: Uint8Array): Int8Array {
  const high = (j: number): number => (((block[j >> 3] ?? 0) >> (j & 7)) & 1) << 4;
  return Int8Array.from({ length: 32 }, (_, j) => {
    const pair = block[4 + (j & 15)] ?? 0;
    return ((j < 16 ? pair & 15 : pair >> 4) | high(j)) - 16;
  });
}
