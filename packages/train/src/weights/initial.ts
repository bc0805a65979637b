import type { WeightSource } from '@receptance/core';
import { type Architecture, completeConfig, type ModelConfig } from './config.ts';
import { type LayerTensors, makeModel } from './make.ts';
import { layer4 } from './rwkv4.ts';
import { layer5 } from './rwkv5.ts';
import { layer6 } from './rwkv6.ts';
import { layer7 } from './rwkv7.ts';
import { tensorSource } from './tensors.ts';

const LAYERS: Readonly<Record<Architecture, LayerTensors>> = {
  rwkv4: layer4,
  rwkv5: layer5,
  rwkv6: layer6,
  rwkv7: layer7,
};

/**
 * An untrained model under its official names, initialised as the official trainer of its version does (RWKV-LM).
 * @param seed whole number from 0 to 2⁵³ − 1: the same gives the same weights
 * @throws ReceptanceError `BAD_OPTION`
 */
export function initialWeights(config: ModelConfig, seed: number): WeightSource {
  const complete = completeConfig(config);
  return tensorSource(makeModel(complete, seed, LAYERS[complete.architecture]));
}
