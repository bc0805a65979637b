/** How far a result may be from what is expected. Both must hold. */
export interface Tolerance {
  /** Normalised mean square error: Σ (got − want)² / Σ want²; the mean square error where every wanted number is 0. */
  readonly nmse: number;
  /** Largest |got − want|, in units of the largest |want| where that is above 1. */
  readonly maxAbs: number;
}

/** A tolerance for each float a device may compute in. */
export interface Tolerances {
  readonly f32: Tolerance;
  readonly f64: Tolerance;
}

/** How far one output was from what was expected. */
export interface ErrorFigures {
  readonly nmse: number;
  readonly maxAbs: number;
  /** Where the largest difference is, and the two numbers there; absent for an empty output. */
  readonly worst?: { readonly index: number; readonly got: number; readonly want: number };
}

/** Half a unit in the last place of an f32, relative: how far a number computed in f64 may lie from one stored in f32. */
const F32_ROUNDING = 2 ** -24;

/**
 * Compares number by number; a number that is not finite counts as infinitely far from any other.
 * @param wantedIsF32 the wanted numbers were rounded to f32 when they were stored: what lies within that rounding is
 *   no error, what goes beyond it is
 */
export function errorFigures(got: ArrayLike<number>, want: ArrayLike<number>, wantedIsF32 = false): ErrorFigures {
  if (got.length !== want.length) return { nmse: Number.POSITIVE_INFINITY, maxAbs: Number.POSITIVE_INFINITY };
  let [squares, norm, largest, index] = [0, 0, -1, 0];
  let scale = 1;
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [got[i] ?? 0, want[i] ?? 0];
    const slack = wantedIsF32 ? F32_ROUNDING * Math.abs(y) : 0;
    const distance = Number.isFinite(x) && Number.isFinite(y) ? Math.abs(x - y) : Number.POSITIVE_INFINITY;
    const difference = Math.max(0, distance - slack);
    squares += difference * difference;
    norm += y * y;
    scale = Math.max(scale, Math.abs(y));
    if (difference > largest) [largest, index] = [difference, i];
  }
  if (largest < 0) return { nmse: 0, maxAbs: 0 };
  const nmse = squares === 0 ? 0 : squares / (norm === 0 ? want.length : norm);
  return { nmse, maxAbs: largest / scale, worst: { index, got: got[index] ?? 0, want: want[index] ?? 0 } };
}

/** What is wrong with figures, in words; `undefined` when they are within the tolerance. */
export function outside(name: string, figures: ErrorFigures, tolerance: Tolerance): string | undefined {
  const { nmse, maxAbs, worst } = figures;
  if (nmse <= tolerance.nmse && maxAbs <= tolerance.maxAbs) return undefined;
  const where = worst === undefined ? 'of another length' : `at ${worst.index}: ${worst.got} for ${worst.want}`;
  const limits = `NMSE ${format(nmse)} (≤ ${format(tolerance.nmse)}), max ${format(maxAbs)} (≤ ${format(tolerance.maxAbs)})`;
  return `${name} ${where}; ${limits}`;
}

function format(x: number): string {
  return x === 0 ? '0' : x.toExponential(1);
}
