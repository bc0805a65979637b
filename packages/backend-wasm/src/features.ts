import { PAGE } from './variants.ts';

/** What this JavaScript engine can do, and here. */
export interface Features {
  readonly simd128: boolean;
  readonly relaxed: boolean;
  readonly memory64: boolean;
  /** Memory that threads share: on a page only where it is isolated from other origins. */
  readonly sharedMemory: boolean;
}

/** The smallest modules that use a feature: an engine without it does not take them. */
const PROBES = {
  // () → v128: i8x16.popcnt(i8x16.splat(0))
  simd128: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
  // () → v128: i8x16.relaxed_swizzle(i8x16.splat(1), i8x16.splat(2))
  relaxed: [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
  // a memory with addresses of 64 bits
  memory64: [5, 3, 1, 4, 1],
} as const;

function takes(probe: keyof typeof PROBES): boolean {
  return WebAssembly.validate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, ...PROBES[probe]));
}

export function features(): Features {
  return {
    simd128: takes('simd128'),
    relaxed: takes('relaxed'),
    memory64: takes('memory64'),
    sharedMemory: hasSharedMemory(),
  };
}

function hasSharedMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer.byteLength === PAGE;
  } catch {
    return false;
  }
}

/** The processor's threads, as far as the platform tells. */
export function processors(): number {
  return typeof navigator === 'undefined' ? 1 : (navigator.hardwareConcurrency ?? 1);
}
