/** One binary that the crate is built into. `build.ts` makes `src/binaries/<name>.gen.ts` of each. */
export interface Variant {
  /** Runs on several threads, over a memory that they share. */
  readonly threads: boolean;
  /** Multiplies and adds in one rounding where the machine can. */
  readonly relaxed: boolean;
  /** Addresses of 64 bits: a memory beyond 4 GiB. */
  readonly memory64: boolean;
}

export type VariantName = 'simd128' | 'relaxed' | 'simd128Threads' | 'relaxedThreads' | 'memory64';

export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  simd128: { threads: false, relaxed: false, memory64: false },
  relaxed: { threads: false, relaxed: true, memory64: false },
  simd128Threads: { threads: true, relaxed: false, memory64: false },
  relaxedThreads: { threads: true, relaxed: true, memory64: false },
  memory64: { threads: true, relaxed: true, memory64: true },
};

/** The most bytes of memory that a binary is linked for; one page less, so that the end of memory has an address. */
export function mostBytes({ memory64 }: Variant): number {
  return (memory64 ? 2 ** 34 : 2 ** 32) - PAGE;
}

export const PAGE = 65536;
