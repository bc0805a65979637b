/** Elements of a side of a tile: what is read and what is written of it stay in the cache. */
const TILE = 32;

/**
 * The transpose of a matrix.
 * @param from [rows, columns]
 * @param to [columns, rows]: other memory
 */
export function transposeMatrix<Numbers extends Uint16Array | Uint32Array | Float32Array>(
  from: Numbers,
  to: Numbers,
  rows: number,
  columns: number,
): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let column = left; column < right; column++) {
        const end = column * rows + bottom;
        let at = top * columns + column;
        for (let place = column * rows + top; place < end; place++) {
          to[place] = from[at] ?? 0;
          at += columns;
        }
      }
    }
  }
}

/** Elements of 2 or 4 bytes as whole numbers, which move whatever they stand for as it is; none where they do not lie at their multiples. */
export function wordsOf(
  { buffer, byteOffset, byteLength }: Uint8Array,
  width: number,
): Uint16Array | Uint32Array | undefined {
  if ((width !== 2 && width !== 4) || byteOffset % width !== 0) return undefined;
  const length = Math.floor(byteLength / width);
  return width === 2 ? new Uint16Array(buffer, byteOffset, length) : new Uint32Array(buffer, byteOffset, length);
}
