/** Writes the first weights of the stored loss curves: see curve.py. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Architecture, initialWeights, type ModelConfig, safetensorsBytes } from '../src/index.ts';

const url = (name: string): URL => new URL(name, import.meta.url);
const settings = JSON.parse(readFileSync(url('settings.json'), 'utf8')) as Omit<ModelConfig, 'architecture'> & {
  readonly architectures: readonly Architecture[];
  readonly seed: number;
};
for (const architecture of settings.architectures) {
  const { layers, width, headSize, ffn, ranks, vocabularySize } = settings;
  const config = { architecture, layers, width, headSize, ffn, ranks, vocabularySize };
  writeFileSync(url(`${architecture}.first.safetensors`), await safetensorsBytes(initialWeights(config, settings.seed)));
}
