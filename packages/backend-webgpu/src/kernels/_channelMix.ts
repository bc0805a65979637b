import { elementCount, type Sizes, type Value } from '@receptance/core';
import type { Operand, Program, Scratch } from '../kernel.ts';
import { type Block, mix, rowMajor } from './_block.ts';
import { type Job, project } from './_project.ts';

/** The channel mix of a block; with a receptance, that of versions before 7. */
export interface ChannelMix {
  readonly eps: number;
  readonly mixOf: 'present' | 'previous';
  readonly state: Value;
  readonly key: Value;
  readonly value: Value;
  readonly receptance?: Value;
  /** What it is added to. */
  readonly residual: Operand;
  readonly y: Value;
  /** Room for the streams, and for what they are projected to. */
  readonly streams: Scratch;
  readonly projected: Scratch;
}

/** Three dispatches: norm and streams; key and receptance; value, gate and residual. */
export function channelMix(block: Block, half: ChannelMix): Program[] {
  const { context, width, tokens } = block;
  const { key, value, receptance, residual, eps, mixOf, state, streams, projected } = half;
  const matrix = (of: Value) => rowMajor(of, false, 0, context).weight;
  const hidden = Number(key.shape[0]);
  const shares = receptance === undefined ? ['ffn_x_k'] : ['ffn_mix_k', 'ffn_mix_r'];
  const gateAt = (sizes: Sizes): number => tokens(sizes) * hidden;
  const jobs: Job[] = [{ weight: matrix(key), fn: 'reluSquared' }];
  if (receptance !== undefined) {
    jobs.push({ weight: matrix(receptance), fn: 'sigmoid', x: (sizes) => tokens(sizes) * width, y: gateAt });
  }
  return [
    mix(block, { x: residual, norm: 'ln2', eps, state, shares, mixOf, y: streams }),
    ...project({ jobs, tokens, x: streams, y: projected }, context),
    ...project(
      {
        ...{ jobs: [{ weight: matrix(value) }], tokens, x: projected, y: half.y, residual },
        ...(receptance === undefined ? {} : { gate: gateAt }),
      },
      context,
    ),
  ];
}

/** Numbers a token that a channel mix projects its streams to. */
export function channelWidth(width: number, key: Value, receptance?: Value): number {
  return elementCount(key.shape.slice(0, 1)) + (receptance === undefined ? 0 : width);
}
