import { wasm } from '@receptance/backend-wasm';
import { expect, test } from 'vitest';
import { instructionLines } from '../src/report/instruction-table.ts';
import { timingInstructions } from '../src/training/instruction-times.ts';
import { openTrainer, type TrainingSize } from '../src/training/subject.ts';

const size: TrainingSize = {
  ...{ version: 4, layers: 1, width: 32, headSize: 32, vocabulary: 16, ffn: 64 },
  ...{ ranks: { w: 8, a: 8, v: 8, g: 8 }, batch: 2, tokens: 16 },
};

async function losses(): Promise<number[]> {
  const trainer = await openTrainer(wasm({ threads: 1 }), size, 3);
  const found: number[] = [];
  for await (const { loss } of trainer.run()) found.push(loss);
  await trainer.close();
  return found;
}

test('steps that are run an instruction at a time are the same steps, and every instruction of them is timed', async () => {
  const usual = await losses();
  await timingInstructions(async (times) => {
    expect(await losses()).toEqual(usual);
    const all = times.all();
    const product = all.find(({ instruction }) => instruction === 'linear_rows');
    expect(product?.sizes).toMatch(/^rows 32 inner \d+ outer \d+$/);
    expect(product?.flops).toBeGreaterThan(0);
    // The gradient of WKV-4 of the one layer, in each of three steps.
    expect(all.find(({ instruction }) => instruction === 'wkv4_grad')?.runs).toBe(3);
    expect(all.find(({ instruction }) => instruction === 'fused')?.bytes).toBeGreaterThan(0);
    expect(instructionLines(all, undefined).join('\n')).toContain('wkv4_grad');
  });
});
