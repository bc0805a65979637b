import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { embedShaders } from '../embed.ts';
import { findAdapter, findGpu, openDevice } from '../src/platform.ts';
import { WGSL } from '../src/shaders.gen.ts';

it('shaders.gen.ts holds the .wgsl files as they are (else: npm run embed)', () => {
  expect(readFileSync(new URL('../src/shaders.gen.ts', import.meta.url), 'utf8')).toBe(embedShaders());
});

it('every shader compiles after the prelude', async () => {
  const gpu = await findGpu();
  const device = await openDevice(await findAdapter(gpu));
  const { prelude, ...shaders } = WGSL;
  for (const [name, code] of Object.entries(shaders)) {
    const { messages } = await device.createShaderModule({ code: `${prelude}\n${code}` }).getCompilationInfo();
    expect(messages.map(({ message }) => `${name}: ${message}`)).toEqual([]);
  }
  device.destroy();
});
