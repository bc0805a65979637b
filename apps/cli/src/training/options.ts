import { resolve } from 'node:path';
import { randomSeed } from 'receptance';
import { backendNames, DEFAULT_BACKEND } from '../backends.ts';
import { MODEL_OPTIONS } from '../model.ts';
import { badOption, COMMON, type OptionSpecs, type Values } from '../options.ts';

const ARCHITECTURES = ['rwkv4', 'rwkv5', 'rwkv6', 'rwkv7'] as const;
const OPTIMISERS = ['adamw', 'muon'] as const;
const SCHEDULES = ['cosine', 'wsd', 'constant'] as const;
const DTYPES = ['f32', 'f16', 'bf16'] as const;

export type OptionName =
  | keyof typeof COMMON
  | 'out'
  | 'data'
  | 'validation'
  | 'held-out'
  | 'resume'
  | 'force'
  | 'model'
  | 'architecture'
  | 'layers'
  | 'width'
  | 'head-size'
  | 'tokenizer'
  | 'vocabulary-size'
  | 'backend'
  | 'steps'
  | 'batch'
  | 'length'
  | 'accumulate'
  | 'rate'
  | 'final-rate'
  | 'warmup'
  | 'schedule'
  | 'decay'
  | 'optimiser'
  | 'weight-decay'
  | 'clip'
  | 'seed'
  | 'stream'
  | 'lora'
  | 'alpha'
  | 'state'
  | 'dtype'
  | 'save-every'
  | 'evaluate-every';

export const options: OptionSpecs<OptionName> = {
  out: { value: 'FOLDER', help: 'where the training is kept: the model, what --resume needs, log and plot' },
  data: { value: 'PATH', help: 'text to learn: a file (.txt, .jsonl) or a folder of them' },
  validation: { value: 'PATH', help: 'other text to measure by (default: the end of the data)' },
  'held-out': { value: 'PART', help: 'how much of the data that is (default: 0.05)' },
  resume: { help: 'go on with the training in --out, with the options it was begun with' },
  force: { help: 'begin anew though a training, or a model, is in --out: it is replaced' },
  model: { value: 'FILE', help: 'checkpoint to train further (default: an untrained model of the size below)' },
  architecture: { value: 'NAME', help: `${ARCHITECTURES.join(', ')} (default: rwkv7)` },
  layers: { value: 'N', help: 'blocks (default: 4)' },
  width: { value: 'N', help: 'channels (default: 128)' },
  'head-size': { value: 'N', help: 'channels of a head (default: 64)' },
  tokenizer: MODEL_OPTIONS.tokenizer,
  'vocabulary-size': { value: 'N', help: 'tokens of an untrained model (default: those of the tokenizer)' },
  backend: { value: 'NAME', help: `${backendNames().join(', ')} (default: ${DEFAULT_BACKEND})` },
  steps: { value: 'N', help: 'steps of the whole training (default: 1000)' },
  batch: { value: 'N', help: 'texts in a batch (default: 8)' },
  length: { value: 'N', help: 'tokens of each (default: 256)' },
  accumulate: { value: 'N', help: 'batches whose gradients make one step (default: 1)' },
  rate: { value: 'X', help: 'the largest learning rate (default: 0.001)' },
  'final-rate': { value: 'X', help: 'that of the last step (default: a hundredth of --rate)' },
  warmup: { value: 'N', help: 'steps in which the rate climbs (default: 10)' },
  schedule: {
    value: 'NAME',
    help: `${SCHEDULES.join(', ')}; wsd stays high and falls at the end (default: cosine)`,
  },
  decay: { value: 'PART', help: 'of wsd: the part of the steps in which the rate falls (default: 0.2)' },
  optimiser: {
    value: 'NAME',
    help: `${OPTIMISERS.join(', ')}; muon takes the matrices of the blocks, AdamW the rest (default: adamw)`,
  },
  'weight-decay': { value: 'X', help: 'of the matrices (default: 0.1)' },
  clip: { value: 'X', help: 'the largest norm of all gradients together (default: 1)' },
  seed: { value: 'N', help: 'decides first weights and order of the data (default: another each time)' },
  stream: { help: 'read long texts on from step to step, and carry their states' },
  lora: { value: 'RANK', help: 'train adapters of this rank beside frozen weights; the model written has them merged' },
  alpha: { value: 'X', help: 'how much they count: alpha / rank (default: twice the rank)' },
  state: { help: 'train the initial state alone (versions 5 to 7)' },
  dtype: { value: 'TYPE', help: `of the model that is written: ${DTYPES.join(', ')} (default: f32)` },
  'save-every': { value: 'N', help: 'steps from one save to the next (default: 100)' },
  'evaluate-every': { value: 'N', help: 'steps from one look at the held-out text to the next (default: 100)' },
  ...COMMON,
};

/** What a training is begun with, as `options.json` in its folder keeps it. */
export interface Begun {
  readonly data: string;
  readonly validation: string | undefined;
  readonly heldOut: number;
  readonly model: string | undefined;
  readonly architecture: (typeof ARCHITECTURES)[number];
  readonly layers: number;
  readonly width: number;
  readonly headSize: number;
  readonly tokenizer: string | undefined;
  readonly vocabularySize: number | undefined;
  readonly backend: string;
  readonly steps: number;
  readonly sequences: number;
  readonly length: number;
  readonly accumulate: number;
  readonly schedule: {
    readonly kind: (typeof SCHEDULES)[number];
    readonly rate: number;
    readonly finalRate: number;
    readonly warmup: number;
    readonly decay: number;
  };
  readonly optimiser: (typeof OPTIMISERS)[number];
  readonly weightDecay: number;
  readonly clip: number;
  readonly seed: number;
  readonly order: 'shuffled' | 'stream';
  readonly lora: { readonly rank: number; readonly alpha: number } | undefined;
  readonly state: boolean;
  readonly dtype: (typeof DTYPES)[number];
  readonly saveEvery: number;
  readonly evaluateEvery: number;
}

/** Options that may go with --resume: the others were decided when the training was begun. */
const WITH_RESUME: readonly string[] = ['out', 'resume', 'json', 'verbose'];

/** @throws UsageError `BAD_OPTION` for one that only the beginning of a training takes */
export function checkResume(values: Values<OptionName>): void {
  for (const name of Object.keys(options) as OptionName[]) {
    if (WITH_RESUME.includes(name) || (values.text(name) === undefined && !values.flag(name))) continue;
    throw badOption(`--${name} does not go with --resume`, 'a training goes on with the options it was begun with');
  }
}

/** @throws UsageError `BAD_OPTION` */
export function readBegun(values: Values<OptionName>): Begun {
  /** Absolute: a training may be resumed from another folder. */
  const path = (name: OptionName): string | undefined => {
    const given = values.text(name);
    return given === undefined ? undefined : resolve(given);
  };
  const size = (name: OptionName, otherwise: number): number => values.integer(name, 1) ?? otherwise;
  const rate = values.number('rate', 0) ?? 1e-3;
  if (values.text('decay') !== undefined && values.text('schedule') !== 'wsd') {
    throw badOption('--decay is for --schedule wsd', 'give that too, or leave it out');
  }
  const rank = values.integer('lora', 1);
  const [alpha, model, state] = [values.number('alpha', 0), path('model'), values.flag('state')];
  if (rank === undefined && alpha !== undefined) throw badOption('--alpha is for adapters', 'give --lora RANK too');
  if (rank !== undefined && state) throw badOption('--lora and --state exclude each other', 'give one');
  if (model === undefined && (rank !== undefined || state)) {
    throw badOption(`--${state ? 'state' : 'lora'} needs a trained model`, 'give --model FILE');
  }
  for (const name of ['architecture', 'layers', 'width', 'head-size', 'vocabulary-size'] as const) {
    if (model !== undefined && values.text(name) !== undefined) {
      throw badOption(`--${name} does not go with --model`, 'the checkpoint says what the model is');
    }
  }
  const data = resolve(values.required('data'));
  if (data === path('out')) throw badOption('--out is the folder of --data', 'give another folder, or one in it');
  const heldOut = values.number('held-out', 0) ?? 0.05;
  if (heldOut >= 1)
    throw badOption(`--held-out ${heldOut} leaves nothing to learn`, 'give a part below 1, for example 0.05');
  if (values.text('held-out') !== undefined && values.text('validation') !== undefined) {
    throw badOption('--held-out and --validation exclude each other', 'give one');
  }
  return {
    data,
    validation: path('validation'),
    heldOut: values.text('validation') === undefined ? heldOut : 0,
    model,
    architecture: oneOf('architecture', ARCHITECTURES, values.text('architecture') ?? 'rwkv7'),
    ...{ layers: size('layers', 4), width: size('width', 128), headSize: size('head-size', 64) },
    tokenizer: path('tokenizer'),
    vocabularySize: values.integer('vocabulary-size', 1),
    backend: values.text('backend') ?? DEFAULT_BACKEND,
    ...{ steps: size('steps', 1000), sequences: size('batch', 8), length: size('length', 256) },
    accumulate: size('accumulate', 1),
    schedule: {
      kind: oneOf('schedule', SCHEDULES, values.text('schedule') ?? 'cosine'),
      ...{ rate, finalRate: values.number('final-rate', 0) ?? rate / 100, warmup: values.integer('warmup') ?? 10 },
      decay: values.number('decay', 0) ?? 0.2,
    },
    optimiser: oneOf('optimiser', OPTIMISERS, values.text('optimiser') ?? 'adamw'),
    weightDecay: values.number('weight-decay', 0) ?? 0.1,
    clip: values.number('clip', 0) ?? 1,
    seed: values.integer('seed') ?? randomSeed(),
    order: values.flag('stream') ? 'stream' : 'shuffled',
    lora: rank === undefined ? undefined : { rank, alpha: alpha ?? 2 * rank },
    state,
    dtype: oneOf('dtype', DTYPES, values.text('dtype') ?? 'f32'),
    ...{ saveEvery: size('save-every', 100), evaluateEvery: size('evaluate-every', 100) },
  };
}

function oneOf<T extends string>(option: OptionName, names: readonly T[], given: string): T {
  const found = names.find((each) => each === given);
  if (found !== undefined) return found;
  throw badOption(`--${option} ${given} is not known`, `it is one of ${names.join(', ')}`);
}
