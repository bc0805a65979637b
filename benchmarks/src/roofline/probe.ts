import wabt from 'wabt';

/**
 * Places read from at once. One alone waits for the prefetcher: on a Zen core it gets 14 GB/s where four get 19, and
 * more than four get no more.
 */
const STREAMS = 4;
const LOADS = 8;
/** Chains of multiply and add that do not wait for each other. */
const CHAINS = 10;
export const FLOPS_PER_ROUND: number = CHAINS * 4 * 2;

/** What the machine allows a kernel in WebAssembly: reading memory, and multiplying and adding. */
export interface Probe {
  /** Whether multiply and add are one instruction. */
  readonly fused: boolean;
  /** Reads `bytes`, a multiple of 512, from the start of the memory. */
  read(bytes: number): void;
  /** `FLOPS_PER_ROUND` operations a round. */
  multiplyAdd(rounds: number): void;
}

/** @param bytes of memory to be read, more than any cache holds; every page is written to once, so that it is really there */
export async function openProbe(bytes: number): Promise<Probe> {
  const [plain, relaxed] = [await assemble(false), await assemble(true)];
  const fused = WebAssembly.validate(relaxed);
  const { instance } = await WebAssembly.instantiate(fused ? relaxed : plain);
  const { memory, read, multiplyAdd } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof read !== 'function' || typeof multiplyAdd !== 'function') {
    throw new Error('the probe exports something else than its text says');
  }
  memory.grow(Math.ceil(bytes / 65536));
  new Uint32Array(memory.buffer).fill(0x3f000000);
  return { fused, read: (length) => void read(length / STREAMS), multiplyAdd: (rounds) => void multiplyAdd(rounds) };
}

async function assemble(fused: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const { parseWat } = await wabt();
  const module = parseWat('probe.wat', probeText(fused), { relaxed_simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return new Uint8Array(buffer);
}

function probeText(fused: boolean): string {
  const streams = numbers(STREAMS);
  const chains = numbers(CHAINS);
  const sum = (names: readonly string[], add: string): string =>
    names.map((name) => `(local.get ${name})`).reduce((total, term) => `(${add} ${total} ${term})`);
  const load = (stream: number, at: number): string =>
    `(local.set $sum${stream} (i32x4.add (local.get $sum${stream}) (v128.load offset=${16 * at} (local.get $at${stream}))))`;
  const multiplyAdd = (chain: number): string => {
    const [x, m] = [`(local.get $chain${chain})`, '(local.get $half)'];
    return fused ? `(f32x4.relaxed_madd ${x} ${m} ${m})` : `(f32x4.add (f32x4.mul ${x} ${m}) ${m})`;
  };
  return `(module
    (memory (export "memory") 0)
    (func (export "read") (param $bytes i32) (result i32)
      ${streams.map((i) => `(local $at${i} i32) (local $sum${i} v128)`).join(' ')}
      ${streams.map((i) => `(local.set $at${i} (i32.mul (local.get $bytes) (i32.const ${i})))`).join(' ')}
      (loop $next
        ${numbers(LOADS)
          .flatMap((at) => streams.map((stream) => load(stream, at)))
          .join('\n        ')}
        ${streams.map((i) => `(local.set $at${i} (i32.add (local.get $at${i}) (i32.const ${16 * LOADS})))`).join(' ')}
        (br_if $next (i32.lt_u (local.get $at0) (local.get $bytes))))
      (i32x4.extract_lane 0 ${sum(
        streams.map((i) => `$sum${i}`),
        'i32x4.add',
      )}))
    (func (export "multiplyAdd") (param $rounds i32) (result f32)
      (local $half v128) ${chains.map((i) => `(local $chain${i} v128)`).join(' ')}
      (local.set $half (f32x4.splat (f32.const 0.5)))
      (loop $next
        ${chains.map((i) => `(local.set $chain${i} ${multiplyAdd(i)})`).join('\n        ')}
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $next (local.get $rounds)))
      (f32x4.extract_lane 0 ${sum(
        chains.map((i) => `$chain${i}`),
        'f32x4.add',
      )})))`;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
