import { expect, test } from 'vitest';
import { startOwnRunner } from '../src/runner/spawn.ts';

test('the memory of a runner is its own, not that of the process that started it', async () => {
  const held = new Uint8Array(512 << 20).fill(1);
  const runner = startOwnRunner();
  try {
    const bytes = await runner.ask('memory', {});
    expect(bytes).toBeGreaterThan(20 << 20);
    expect(bytes).toBeLessThan(held.length);
  } finally {
    await runner.close();
  }
});
