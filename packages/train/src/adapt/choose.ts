import type { WeightSource } from '@receptance/core';
import type { TrainerOptions } from '../options.ts';
import { initialWeights } from '../weights/initial.ts';
import type { Adaptation } from './adaptation.ts';
import { fullTraining } from './full.ts';
import { loraTraining } from './lora.ts';
import { stateTuning } from './state.ts';

/** What is trained by the options. */
export function adaptationOf({ model, train = 'full', groupNormEps, seed = 0 }: TrainerOptions): Adaptation {
  const source: WeightSource = 'tensors' in model ? model : initialWeights(model, seed);
  const options = groupNormEps === undefined ? {} : { groupNormEps };
  if (train === 'full') return fullTraining(source, options);
  if (train === 'state') return stateTuning(source, options);
  return loraTraining(source, options, train.lora, seed);
}
