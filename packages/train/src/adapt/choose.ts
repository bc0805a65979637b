import { ReceptanceError, type WeightSource } from '@receptance/core';
import type { Settings, TrainerOptions } from '../options.ts';
import { BASELINES, type BaselineConfig } from '../weights/baseline.ts';
import type { ModelConfig } from '../weights/config.ts';
import { initialWeights } from '../weights/initial.ts';
import type { Adaptation } from './adaptation.ts';
import { baselineTraining, fullTraining } from './full.ts';
import { loraTraining } from './lora.ts';
import { stateTuning } from './state.ts';

/**
 * What is trained by the options.
 * @throws ReceptanceError `NOT_TRAINABLE` for a baseline that is not to be trained whole; `BAD_OPTION`
 */
export function adaptationOf({ model, train = 'full', groupNormEps }: TrainerOptions, settings: Settings): Adaptation {
  const { seed } = settings;
  if (!('tensors' in model) && isBaseline(model)) {
    if (train === 'full') return baselineTraining(model, settings, seed);
    throw new ReceptanceError('NOT_TRAINABLE', `${model.architecture} is trained whole or not at all`, {
      hint: 'it is there to be compared with: leave `train` out',
    });
  }
  const source: WeightSource = 'tensors' in model ? model : initialWeights(model, seed);
  const options = groupNormEps === undefined ? {} : { groupNormEps };
  if (train === 'full') return fullTraining(source, options);
  if (train === 'state') return stateTuning(source, options);
  return loraTraining(source, options, train.lora, seed);
}

function isBaseline(config: ModelConfig | BaselineConfig): config is BaselineConfig {
  return BASELINES.some((each) => each === config.architecture);
}
