import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { embedShaders } from '../embed.ts';
import { findAdapter, findGpu, openDevice } from '../src/platform.ts';
import { type ShaderName, WGSL } from '../src/shaders.gen.ts';
import { preludeOf, shader } from '../src/shaders.ts';

/** What of a shared text a shader calls. */
const NEEDS = { _weights: /\b(?:weight_at|quartet)\(/, _finish: /\bfinish\(/, _sampling: /\bpart_of\(/ };

it('shaders.gen.ts holds the .wgsl files as they are (else: npm run embed)', () => {
  expect(readFileSync(new URL('../src/shaders.gen.ts', import.meta.url), 'utf8')).toBe(embedShaders());
});

/** Texts that are put before others; those that begin with an underscore may be shaders by themselves. */
const SHARED = ['prelude', 'sumsByMemory', 'sumsBySubgroups', '_weights', '_finish', '_sampling'];

it.each(['memory', 'subgroups'] as const)('every shader compiles where sums are made by %s', async (by) => {
  const gpu = await findGpu();
  const device = await openDevice(await findAdapter(gpu));
  for (const name of Object.keys(WGSL).filter((each) => !SHARED.includes(each)) as ShaderName[]) {
    // Bindings tell which of the shared texts a shader stands on.
    const shared = (['_weights', '_finish', '_sampling'] as const).filter((text) => NEEDS[text].test(WGSL[name]));
    const code = name === 'subgroups' ? WGSL[name] : `${preludeOf(by)}\n${shader(name, ...shared).code}`;
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    expect(messages.map(({ message }) => `${name}: ${message}`)).toEqual([]);
  }
  device.destroy();
});
