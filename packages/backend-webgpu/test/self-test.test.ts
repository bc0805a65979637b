import { readFileSync } from 'node:fs';
import { BackendUnavailableError } from '@receptance/core';
import { expect, it } from 'vitest';
import { expectedText } from '../expect.ts';
import { type KernelOf, webgpu } from '../src/index.ts';
import { kernels } from '../src/kernel-table.ts';

it('self-test.gen.ts holds what the reference makes of it (else: npm run expect)', async () => {
  expect(readFileSync(new URL('../src/self-test.gen.ts', import.meta.url), 'utf8')).toBe(await expectedText());
});

it('passes with and without subgroups', async () => {
  for (const subgroups of [true, false]) await (await webgpu({ subgroups }).open()).close();
});

it('refuses a device that computes wrong numbers, and says what to do', async () => {
  const [own] = kernels.block7 ?? [];
  // As a driver that takes a − b for a + b: the residual stream of the block is left out.
  const wrong: KernelOf<'block7'> = {
    lower(x, y, attrs, context) {
      const programs = own?.lower(x, y, attrs, context) ?? [];
      return programs.map((program) => ({
        ...program,
        launch: (sizes) => {
          const { workgroups, params } = program.launch(sizes);
          return { workgroups, params: params.map((word) => (word === 0x200 ? 0 : word)) };
        },
      }));
    },
  };
  const error = await webgpu({ kernels: { block7: [wrong] } })
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BackendUnavailableError);
  expect(error).toMatchObject({
    message: expect.stringContaining('self-test'),
    hint: expect.stringContaining('driver'),
  });
});
