import { ReceptanceError } from '@receptance/core';

export const ARCHITECTURES = ['rwkv4', 'rwkv5', 'rwkv6', 'rwkv7'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The size of a model to be made. */
export interface ModelConfig {
  readonly architecture: Architecture;
  readonly layers: number;
  /** C, the width of the residual stream. */
  readonly width: number;
  readonly vocabularySize: number;
  /** N, channels of a head in versions 5 to 7. Default 64. */
  readonly headSize?: number | undefined;
  /** Rows of the channel mix's key. Default 4C in versions 4 and 7, 3.5C down to a multiple of 32 in 5 and 6. */
  readonly ffn?: number | undefined;
  /** Ranks of the LoRA pairs of versions 6 (`decay`, `mix`) and 7 (`decay`, `rate`, `value`, `gate`); by default those of the official trainer. */
  readonly ranks?: Readonly<Partial<Record<'decay' | 'mix' | 'rate' | 'value' | 'gate', number>>> | undefined;
}

export type CompleteConfig = Required<Omit<ModelConfig, 'ranks'>> & {
  readonly headSize: number;
  readonly ffn: number;
  readonly ranks: Readonly<Record<'decay' | 'mix' | 'rate' | 'value' | 'gate', number>>;
};

/** @throws ReceptanceError `BAD_OPTION` */
export function completeConfig(config: ModelConfig): CompleteConfig {
  const { architecture, layers, width, vocabularySize, headSize = 64 } = config;
  if (!ARCHITECTURES.includes(architecture)) {
    throw badConfig(`architecture is ${architecture}`, `it is one of ${ARCHITECTURES.join(', ')}`);
  }
  const seven = architecture === 'rwkv7';
  const wide = seven || architecture === 'rwkv4';
  const ffn = config.ffn ?? (wide ? 4 * width : Math.floor((3.5 * width) / 32) * 32);
  const ranks = {
    ...(seven ? officialRanks(width) : { decay: 64, mix: 32, rate: 32, value: 32, gate: 32 }),
    ...config.ranks,
  };
  const sizes = { layers, width, vocabularySize, headSize, ffn, ...ranks };
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) throw badConfig(`${name} is ${value}`, 'it is a whole number ≥ 1');
  }
  if (architecture !== 'rwkv4' && width % headSize !== 0) {
    throw badConfig(`heads of ${headSize} do not make a width of ${width}`, 'let headSize divide width');
  }
  if (width < 2) throw badConfig(`width is ${width}`, 'it is 2 or more');
  return { architecture, layers, width, vocabularySize, headSize, ffn, ranks };
}

/** Those of the official trainer of RWKV-7 grow with the root of the width. */
function officialRanks(width: number): CompleteConfig['ranks'] {
  const rank = (times: number): number => Math.max(32, Math.round((times * Math.sqrt(width)) / 32) * 32);
  return { decay: rank(2.5), rate: rank(2.5), value: rank(1.7), gate: rank(5), mix: 32 };
}

function badConfig(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', `a model cannot be made: ${message}`, { hint });
}
