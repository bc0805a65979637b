import type { Sampling } from 'receptance';
import { checkChoice, randomSeed } from 'receptance';
import { badOption, type OptionSpecs, type Values } from './options.ts';

/** Of RWKV's own demonstrations. */
const DEFAULT_TOP_P = 0.85;

type Setting =
  | ('temperature' | 'top-p' | 'top-k' | 'min-p')
  | ('presence-penalty' | 'frequency-penalty' | 'repetition-penalty' | 'penalty-decay');
type Name = 'greedy' | 'seed' | Setting;

export const CHOICE_OPTIONS: OptionSpecs<Name> = {
  greedy: { help: 'always take the likeliest token' },
  seed: { value: 'N', help: 'the same seed draws the same text (default: another each time)' },
  temperature: { value: 'X', help: 'below 1 more likely, above 1 more surprising (default: 1)' },
  'top-p': { value: 'X', help: `keep the likeliest tokens that reach this probability (default: ${DEFAULT_TOP_P})` },
  'top-k': { value: 'N', help: 'keep the k likeliest tokens; 0 keeps all (default: 0)' },
  'min-p': { value: 'X', help: 'keep tokens this fraction as likely as the likeliest (default: 0)' },
  'presence-penalty': { value: 'X', help: 'off the logit of tokens drawn before (default: 0)' },
  'frequency-penalty': { value: 'X', help: 'off the logit for each time drawn (default: 0)' },
  'repetition-penalty': { value: 'X', help: 'divides the logits of tokens drawn before (default: 1)' },
  'penalty-decay': { value: 'X', help: 'how penalties fade, per token (default: 1)' },
};

const SAMPLING: Readonly<Record<Setting, keyof Sampling>> = {
  temperature: 'temperature',
  'top-p': 'topP',
  'top-k': 'topK',
  'min-p': 'minP',
  'presence-penalty': 'presencePenalty',
  'frequency-penalty': 'frequencyPenalty',
  'repetition-penalty': 'repetitionPenalty',
  'penalty-decay': 'penaltyDecay',
};

/** How the next token is chosen, with the seed that was given or drawn. */
export type ChoiceGiven = { readonly greedy: true } | { readonly sampling: Sampling; readonly seed: number };

/** @throws ReceptanceError `BAD_OPTION`, `BAD_SAMPLING`, before a model is loaded, which may take long */
export function readChoice(values: Values<Name>): ChoiceGiven {
  const sampling: Record<string, number> = {};
  for (const [option, setting] of Object.entries(SAMPLING)) {
    const signed = setting === 'presencePenalty' || setting === 'frequencyPenalty';
    const value = values.number(option as Setting, signed ? Number.NEGATIVE_INFINITY : 0);
    if (value !== undefined) sampling[setting] = value;
  }
  const seed = values.integer('seed');
  const greedy = values.flag('greedy');
  if (greedy && (seed !== undefined || Object.keys(sampling).length > 0)) {
    throw badOption('--greedy leaves nothing to draw', 'give --greedy, or a seed and settings');
  }
  const choice = greedy ? { greedy } : { sampling: { topP: DEFAULT_TOP_P, ...sampling }, seed: seed ?? randomSeed() };
  checkChoice(choice);
  return choice;
}
