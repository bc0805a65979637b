import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crateHash, pinnedRust } from '../crate-hash.ts';
import { type Features, features } from '../src/features.ts';
import { BUILD, INSTRUCTIONS } from '../src/instructions.gen.ts';
import { chooseVariant, instantiate } from '../src/module.ts';
import { VARIANTS, type VariantName } from '../src/variants.ts';

describe('the committed binaries', () => {
  it('were made of the crate as it is, by the Rust of rust-toolchain.toml', () => {
    const advice = 'run pnpm --filter @receptance/backend-wasm build:wasm, and commit what it writes';
    expect(BUILD.sources, advice).toBe(crateHash());
    expect(BUILD.compiler, advice).toMatch(new RegExp(`^rustc ${pinnedRust()} `));
  });

  it.each(Object.keys(VARIANTS) as VariantName[])('%s holds no path of the machine that built it', async (name) => {
    const { BINARY } = (await import(`../src/binaries/${name}.gen.ts`)) as { BINARY: string };
    const text = Buffer.from(BINARY, 'base64').toString('latin1');
    const paths = text.match(/[\w./@-]+\.rs\b/g) ?? [];
    expect(paths.filter((path) => !/^(src|\/rust|\/rustc)\//.test(path))).toEqual([]);
  });

  it('have the instructions of program.rs', () => {
    const source = readFileSync(new URL('../crate/src/program.rs', import.meta.url), 'utf8');
    for (const [name, { operands }] of Object.entries(INSTRUCTIONS)) {
      const pattern = new RegExp(`\\b${name}\\(\\s*${operands.join('\\s+')}\\s*\\)\\s*\\[[a-z_ ]*\\]\\s*=>`);
      expect(source).toMatch(pattern);
    }
  });

  it.each(Object.keys(VARIANTS) as VariantName[])('%s leaves the memory after its own data to others', async (name) => {
    const { crate, memory } = await instantiate(name);
    expect(crate.base).toBeGreaterThan(65536);
    expect(crate.base).toBeLessThan(memory.buffer.byteLength);
  });
});

describe('the choice of a binary', () => {
  const all: Features = { simd128: true, relaxed: true, memory64: true, sharedMemory: true };
  const plain = { threads: false, relaxed: false, memory64: false };

  it('takes what is wanted', () => {
    for (const [name, variant] of Object.entries(VARIANTS)) expect(chooseVariant(variant, all)).toBe(name);
  });

  it('says what an engine or a page lacks', () => {
    const lack = (feature: keyof Features, wanted: Partial<typeof plain>): (() => string) => {
      return () => chooseVariant({ ...plain, ...wanted }, { ...all, [feature]: false });
    };
    const unavailable = (message: RegExp): object =>
      expect.objectContaining({ code: 'BACKEND_UNAVAILABLE', message: expect.stringMatching(message) });
    expect(lack('simd128', {})).toThrow(unavailable(/128-bit SIMD/));
    expect(lack('relaxed', { relaxed: true })).toThrow(unavailable(/relaxed SIMD/));
    expect(lack('sharedMemory', { threads: true })).toThrow(unavailable(/threads can share/));
    expect(lack('memory64', { memory64: true })).toThrow(unavailable(/beyond 4 GiB/));
  });

  it('finds what this engine has', () => {
    expect(features()).toEqual(all);
  });
});
