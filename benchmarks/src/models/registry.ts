import { ReceptanceError } from '@receptance/core';

/** Shapes of a model: enough to make one of random weights. */
export interface ModelSize {
  readonly version: 4 | 5 | 6 | 7;
  readonly layers: number;
  readonly width: number;
  /** Of versions 5, 6 and 7. */
  readonly headSize: number;
  /** Width of the channel mix. */
  readonly ffn: number;
  readonly vocabulary: number;
  /** Of the low-rank projections: 7 has all four; 6 has `w` and, under `a`, that of its mixes. */
  readonly ranks: { readonly w: number; readonly a: number; readonly v: number; readonly g: number };
}

const WORLD = 65536;
/** The Pile models of version 4 speak GPT-NeoX's vocabulary. */
const PILE = 50277;

const RANKS_7 = {
  768: { w: 64, a: 64, v: 32, g: 128 },
  1024: { w: 64, a: 64, v: 32, g: 128 },
  2048: { w: 96, a: 96, v: 64, g: 256 },
  2560: { w: 96, a: 96, v: 64, g: 320 },
  4096: { w: 128, a: 128, v: 96, g: 480 },
} as const;

/** Of the decay, and of the five mixes under `a`. */
function ranks6(width: number): ModelSize['ranks'] {
  return width < 4096 ? { w: 64, a: 32, v: 0, g: 0 } : { w: 128, a: 64, v: 0, g: 0 };
}

function size4(layers: number, width: number, vocabulary = PILE): ModelSize {
  return { version: 4, layers, width, headSize: width, ffn: 4 * width, vocabulary, ranks: { w: 0, a: 0, v: 0, g: 0 } };
}

/** Versions 5 and 6 have channel mixes of 3.5 widths, in whole blocks of 32. */
function size56(version: 5 | 6, layers: number, width: number, vocabulary = WORLD): ModelSize {
  const ffn = Math.floor((3.5 * width) / 32) * 32;
  return { version, layers, width, headSize: 64, ffn, vocabulary, ranks: ranks6(width) };
}

function size7(layers: number, width: keyof typeof RANKS_7): ModelSize {
  return { version: 7, layers, width, headSize: 64, ffn: 4 * width, vocabulary: WORLD, ranks: RANKS_7[width] };
}

/** For software GPUs and for tests: two layers of two heads. */
const TINY = { layers: 2, width: 64, headSize: 32, ffn: 128, vocabulary: 256 } as const;

/** Sizes of the models that were published, by version and name, and a `tiny` of each version. */
export const MODELS: Readonly<Record<string, ModelSize>> = {
  'rwkv4-tiny': { ...TINY, version: 4, ranks: { w: 0, a: 0, v: 0, g: 0 } },
  'rwkv4-169m': size4(12, 768),
  'rwkv4-430m': size4(24, 1024),
  'rwkv4-1.5b': size4(24, 2048),
  'rwkv4-3b': size4(32, 2560),
  'rwkv4-7b': size4(32, 4096),
  'rwkv4-14b': size4(40, 5120),
  'rwkv5-tiny': { ...TINY, version: 5, ranks: { w: 0, a: 0, v: 0, g: 0 } },
  'rwkv5-0.4b': size56(5, 24, 1024),
  'rwkv5-1.5b': size56(5, 24, 2048),
  'rwkv5-3b': size56(5, 32, 2560),
  'rwkv5-7b': size56(5, 32, 4096),
  'rwkv6-tiny': { ...TINY, version: 6, ranks: { w: 8, a: 8, v: 0, g: 0 } },
  'rwkv6-1.6b': size56(6, 24, 2048),
  'rwkv6-3b': size56(6, 32, 2560),
  'rwkv6-7b': size56(6, 32, 4096),
  'rwkv7-tiny': { ...TINY, version: 7, ranks: { w: 8, a: 8, v: 8, g: 8 } },
  'rwkv7-0.1b': size7(12, 768),
  'rwkv7-0.4b': size7(24, 1024),
  'rwkv7-1.5b': size7(24, 2048),
  'rwkv7-2.9b': size7(32, 2560),
  'rwkv7-7.2b': size7(32, 4096),
};

/** A size alone means the newest version that has it. */
const NEWEST_FIRST = Object.keys(MODELS).toReversed();

/** The full name of a registered model: `0.1b` is `rwkv7-0.1b`. Undefined when there is none. */
export function registeredName(name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(MODELS, lower) ? lower : NEWEST_FIRST.find((full) => full.endsWith(`-${lower}`));
}

/** @throws ReceptanceError `UNKNOWN_MODEL` */
export function modelSize(name: string): ModelSize {
  const size = MODELS[registeredName(name) ?? ''];
  if (size !== undefined) return size;
  throw new ReceptanceError('UNKNOWN_MODEL', `there are no sizes of a model ${name}`, {
    hint: `sizes are ${Object.keys(MODELS).join(', ')}`,
  });
}
