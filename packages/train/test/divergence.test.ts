import { expect, test } from 'vitest';
import { safetensorsBytes } from '../src/index.ts';
import { losses, overflowing, sameBytes, small } from './support/small.ts';

test('weights so large that a gradient overflows: the step and a tensor are named, and the weights stay', async () => {
  const trainer = await small({ model: overflowing() });
  const before = await safetensorsBytes(trainer.weights());
  const failure = await trainer.next().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'NOT_FINITE' });
  expect(String(failure)).toMatch(/step 1: the gradient of \S+ is not finite, nor are those of \d+ more tensors/);
  expect(sameBytes(await safetensorsBytes(trainer.weights()), before)).toBe(true);
  expect(trainer.step).toBe(0);
  await trainer.close();
});

test('a learning rate beyond reason stops the run, and says where', async () => {
  const trainer = await small({ schedule: { rate: 1e30, warmup: 0, kind: 'constant' } });
  await expect(losses(trainer)).rejects.toThrow(/step \d: the (gradient|weights|loss)/);
  await trainer.close();
});
