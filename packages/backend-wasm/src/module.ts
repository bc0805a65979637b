import { BackendUnavailableError } from '@receptance/core';
import { type Crate, SCRATCH } from './crate.ts';
import type { Features } from './features.ts';
import { mostBytes, PAGE, VARIANTS, type Variant, type VariantName } from './variants.ts';

/** A binary with its memory, ready to be called; threads make further instances of the module. */
export interface Instance {
  readonly variant: Variant;
  readonly name: VariantName;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly crate: Crate;
}

const BINARIES: Readonly<Record<VariantName, () => Promise<{ readonly BINARY: string }>>> = {
  simd128: () => import('./binaries/simd128.gen.ts'),
  relaxed: () => import('./binaries/relaxed.gen.ts'),
  simd128Threads: () => import('./binaries/simd128Threads.gen.ts'),
  relaxedThreads: () => import('./binaries/relaxedThreads.gen.ts'),
  memory64: () => import('./binaries/memory64.gen.ts'),
};

const INITIAL_PAGES = 32;
/** Limits of a shared memory that are tried one after the other: address space for all of it is taken at once. */
const SHARED_PAGES = [1, 2, 4, 8].map((part) => 65536 / part);

/**
 * The variant for what is wanted.
 * @throws BackendUnavailableError naming what the engine or the page lacks
 */
export function chooseVariant(wanted: Variant, has: Features): VariantName {
  if (!has.simd128) {
    throw unavailable('this JavaScript engine does not take WebAssembly with 128-bit SIMD', {
      hint: 'use Node 20 or a browser from 2021 or later, or another backend',
    });
  }
  if (wanted.relaxed && !has.relaxed) {
    throw unavailable('this JavaScript engine does not take WebAssembly with relaxed SIMD', {
      hint: 'leave the option out: it is used where it is there (Node 24, browsers from 2025)',
    });
  }
  if ((wanted.threads || wanted.memory64) && !has.sharedMemory) {
    throw unavailable('there is no memory that threads can share', {
      hint: 'serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or ask for one thread',
    });
  }
  if (wanted.memory64 && !has.memory64) {
    throw unavailable('this JavaScript engine has no WebAssembly memory beyond 4 GiB', {
      hint: 'use Node 24 or a current Chrome or Firefox, or weights of fewer bits: load(…, { weights: "q8_0" })',
    });
  }
  if (wanted.memory64) return 'memory64';
  if (wanted.threads) return wanted.relaxed ? 'relaxedThreads' : 'simd128Threads';
  return wanted.relaxed ? 'relaxed' : 'simd128';
}

/** A binary with a memory of its own. @throws BackendUnavailableError */
export async function instantiate(name: VariantName): Promise<Instance> {
  const variant = VARIANTS[name];
  const module = await compiled(name);
  const memory = newMemory(variant);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  return { variant, name, module, memory, crate: crateOf(instance.exports, variant) };
}

/** Modules keep no state: one of each binary serves all devices. */
const modules = new Map<VariantName, Promise<WebAssembly.Module>>();

function compiled(name: VariantName): Promise<WebAssembly.Module> {
  const known = modules.get(name);
  if (known !== undefined) return known;
  const module = BINARIES[name]().then(({ BINARY }) => WebAssembly.compile(decodeBase64(BINARY.replaceAll('\n', ''))));
  modules.set(name, module);
  module.catch(() => modules.delete(name));
  return module;
}

function newMemory(variant: Variant): WebAssembly.Memory {
  if (variant.memory64) return newMemory64(variant);
  if (!variant.threads) return new WebAssembly.Memory({ initial: INITIAL_PAGES });
  let cause: unknown;
  for (const maximum of SHARED_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    } catch (error) {
      cause = error;
    }
  }
  throw unavailable('no address space is left for a shared memory', {
    hint: 'close other devices and tabs, or ask for one thread',
    cause,
  });
}

/** The type of `WebAssembly.Memory` does not know addresses of 64 bits yet. */
interface Memory64Constructor {
  new (descriptor: { address: 'i64'; initial: bigint; maximum: bigint; shared: true }): WebAssembly.Memory;
}

function newMemory64(variant: Variant): WebAssembly.Memory {
  const Memory: Memory64Constructor = WebAssembly.Memory as never;
  const maximum = BigInt(mostBytes(variant) / PAGE + 1);
  return new Memory({ address: 'i64', initial: BigInt(INITIAL_PAGES), maximum, shared: true });
}

function crateOf(exports: WebAssembly.Exports, { memory64 }: Variant): Crate {
  const { run, __heap_base: base } = exports;
  const tellers = Object.values(SCRATCH).map((name) => exports[name]);
  const complete = tellers.every((exported) => typeof exported === 'function');
  if (typeof run !== 'function' || !complete || !(base instanceof WebAssembly.Global)) {
    throw unavailable('the binary does not export what it should', {
      hint: 'build it anew: pnpm --filter @receptance/backend-wasm build:wasm',
    });
  }
  /** An address or a count, as the engine wants it. */
  const size: (x: number) => number | bigint = memory64 ? BigInt : (x) => x;
  return {
    run(code, registers, plan) {
      run(size(code), size(registers), size(plan), size(0), size(1), size(0));
    },
    scratch(of, ...sizes) {
      const tell = exports[SCRATCH[of]];
      return typeof tell === 'function' ? Number(tell(...sizes.map(size))) : 0;
    },
    base: Number(base.value),
  };
}

function unavailable(reason: string, details: { hint: string; cause?: unknown }): BackendUnavailableError {
  return new BackendUnavailableError('wasm', reason, details);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  // Node, Deno and Bun have a decoder that takes a fiftieth of the time.
  const native = globalThis.Buffer?.from(text, 'base64');
  if (native !== undefined) return native;
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
