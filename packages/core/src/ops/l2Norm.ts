import type { OpDefinition } from '../ir/definition.ts';
import { checkGroups } from '../ir/patterns.ts';

export type L2NormSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly groups: number; readonly eps: number };
};

export const l2Norm: OpDefinition<L2NormSignature> = {
  kind: 'primitive',
  summary: 'Each group of channels (a head) of each row to Euclidean length 1.',
  formula: 'y = x / max(‖x_group‖, eps)',
  source: 'PyTorch functional.normalize, as RWKV-7 applies it to k·k_k',
  inputs: { x: { shape: 'N C', doc: 'rows' } },
  outputs: { y: { shape: 'N C', doc: 'rows of unit heads' } },
  attrs: { groups: { type: 'size', doc: 'number of heads' }, eps: { type: 'epsilon', doc: '1e-12 in RWKV-7' } },
  constraints: ['groups divides C.', 'A group of zeros stays zero.'],
  infer({ x }, { groups }) {
    checkGroups(x.shape[1], groups);
    return {};
  },
  vjp(b, { x }, { groups, eps }, { y }, { y: g }) {
    if (g === undefined) return {};
    const grouped = [x.shape[0] ?? 0, groups, Number(x.shape[1]) / groups];
    const [gx, gy, gg] = [b.reshape(x, grouped), b.reshape(y, grouped), b.reshape(g, grouped)];
    const length = b.unary('sqrt', b.reduce('sum', b.binary('mul', gx, gx), [2], true));
    // Where the length is held up by eps it does not move with x.
    const moves = b.add('select', { condition: b.compare('gt', length, eps), a: b.full(1, []), b: b.full(0, []) }).y;
    const slope = b.binary('mul', moves, b.reduce('sum', b.binary('mul', gg, gy), [2], true));
    const along = b.binary('mul', gy, slope);
    return { x: b.reshape(b.binary('div', b.binary('sub', gg, along), b.binary('max', length, eps)), x.shape) };
  },
  flops: (_, __, { y }) => 4 * y,
};
