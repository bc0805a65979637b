import type { Checkpoint } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import type { WeightSource } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { randomWeights } from './random-weights.ts';
import { registeredName } from './registry.ts';

/** The weights that a model's name stands for: those of a registered size are random, `stories` is the bundled model, else it is a path. */
export async function openModel(
  model: string,
  seed: number,
): Promise<{ source: WeightSource | Checkpoint; close(): Promise<void> }> {
  const registered = registeredName(model);
  if (registered !== undefined) return { source: randomWeights(registered, seed), close: async () => {} };
  const source = await openCheckpointFile(model === 'stories' ? storiesModel : model);
  return { source, close: () => source.close() };
}
