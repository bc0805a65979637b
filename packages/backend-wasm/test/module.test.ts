import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crateHash } from '../crate-hash.ts';
import { BUILD, INSTRUCTIONS } from '../src/module.gen.ts';
import { instantiate } from '../src/module.ts';

describe('the committed binary', () => {
  it('was made of the crate as it is', () => {
    expect(BUILD.sources, 'run pnpm --filter @receptance/backend-wasm build:wasm, and commit module.gen.ts').toBe(
      crateHash(),
    );
  });

  it('has the instructions of its program.rs', () => {
    const source = readFileSync(new URL('../crate/src/program.rs', import.meta.url), 'utf8');
    for (const [name, { operands }] of Object.entries(INSTRUCTIONS)) {
      const pattern = new RegExp(`\\b${name}\\(\\s*${operands.join('\\s+')}\\s*\\)\\s*=>`);
      expect(source).toMatch(pattern);
    }
  });

  it('leaves the memory after its own data to others', async () => {
    const { kernels, memory } = await instantiate();
    expect(kernels.base).toBeGreaterThan(65536);
    expect(kernels.base).toBeLessThan(memory.buffer.byteLength);
  });
});
