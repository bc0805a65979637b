import { computed, effect, signal } from '@preact/signals';
import type { Sampling, WeightType } from 'receptance';
import { model } from './model.ts';

/** How texts are continued. */
export interface Settings {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly repetitionPenalty: number;
  readonly penaltyDecay: number;
  readonly maxTokens: number;
  readonly greedy: boolean;
  /** Undefined draws another each time. */
  readonly seed: number | undefined;
  /** Undefined shows them where the vocabulary is small. */
  readonly probabilities: boolean | undefined;
  /** Whether texts are kept in this browser. */
  readonly keepTexts: boolean;
}

export const DEFAULTS: Settings = {
  ...{ temperature: 1, topP: 0.9, topK: 0, minP: 0 },
  ...{ presencePenalty: 0, frequencyPenalty: 0, repetitionPenalty: 1, penaltyDecay: 0.996 },
  ...{ maxTokens: 400, greedy: false, seed: undefined, probabilities: undefined },
  keepTexts: true,
};

const KEY = 'receptance.settings';

export const settings = signal<Settings>(stored());

export function change(more: Partial<Settings>): void {
  settings.value = { ...settings.value, ...more };
}

effect(() => {
  localStorage.setItem(KEY, JSON.stringify(settings.value));
});

/** Bringing all logits to the host costs little where there are few. */
const FEW_TOKENS = 1024;

export const showsProbabilities = computed(
  () => settings.value.probabilities ?? (model.value?.vocabularySize ?? Number.POSITIVE_INFINITY) <= FEW_TOKENS,
);

export function samplingOf(from: Settings): Sampling {
  const { temperature, topP, topK, minP, presencePenalty, frequencyPenalty, repetitionPenalty, penaltyDecay } = from;
  return { temperature, topP, topK, minP, presencePenalty, frequencyPenalty, repetitionPenalty, penaltyDecay };
}

export const WEIGHT_TYPES: readonly WeightType[] = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'];

function stored(): Settings {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const known = Object.entries(found ?? {}).filter(([name]) => name in DEFAULTS);
    return { ...DEFAULTS, ...Object.fromEntries(known) };
  } catch {
    return DEFAULTS;
  }
}
