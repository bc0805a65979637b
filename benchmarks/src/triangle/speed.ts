import type { Backend } from '@receptance/core';
import { createTrainer, type Trainer, tokenArray } from '@receptance/train';
import { VOCABULARY } from './corpus.ts';
import { equalModels, type ModelName } from './models.ts';
import type { Plan } from './plan.ts';
import type { TrainingSpeed } from './report.ts';

const ROUNDS = 3;
/** Steps of a model before the next has its turn. */
const STEPS = 2;

/** Training tokens a second of each model on texts of a length, taken in turns. */
export async function trainingSpeeds(
  backend: Backend,
  plan: Plan,
  length: number,
  signal: AbortSignal,
): Promise<TrainingSpeed[]> {
  const sequences = Math.max(1, Math.floor(plan.stepTokens / length));
  const data = tokenArray(Array.from({ length: 2 * sequences * length + 1 }, (_, i) => (7919 * i) % VOCABULARY));
  const turns: { readonly model: ModelName; readonly trainer: Trainer; readonly tokensPerSecond: number[] }[] = [];
  try {
    for (const { name, config } of equalModels({ ...plan, length }, plan.models)) {
      const options = { backend, model: config, data, length, sequences, steps: 1 + ROUNDS * STEPS };
      const trainer = await createTrainer(options);
      turns.push({ model: name, trainer, tokensPerSecond: [] });
      // The first touches and compiles whatever there is.
      await trainer.next();
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { trainer, tokensPerSecond } of turns) {
        for (let step = 0; step < STEPS; step++) {
          signal.throwIfAborted();
          const { tokens, milliseconds } = await trainer.next();
          tokensPerSecond.push((1000 * tokens) / milliseconds);
        }
        // The device computes in this thread: Ctrl-C is heard here.
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    return turns.map(({ model, tokensPerSecond }) => ({ model, length, tokensPerSecond }));
  } finally {
    for (const { trainer } of turns) await trainer.close();
  }
}
