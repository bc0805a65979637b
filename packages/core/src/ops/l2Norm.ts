import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

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
  attrs: { groups: { type: 'number', doc: 'number of heads' }, eps: { type: 'number', doc: '1e-12 in RWKV-7' } },
  constraints: ['groups divides C.', 'A group of zeros stays zero.'],
  infer({ x }, { groups }) {
    if (typeof x.shape[1] !== 'number' || x.shape[1] % groups !== 0) throw badOp(`${groups} groups do not divide C`);
    return {};
  },
  vjp(b, { x }, { groups, eps }, { y }, { y: g }) {
    if (g === undefined) return {};
    const grouped = [x.shape[0] ?? 0, groups, Number(x.shape[1]) / groups];
    const [gx, gy, gg] = [b.reshape(x, grouped), b.reshape(y, grouped), b.reshape(g, grouped)];
    const length = b.unary('sqrt', b.reduce('sum', b.binary('mul', gx, gx), [2], true));
    const along = b.binary('mul', gy, b.reduce('sum', b.binary('mul', gg, gy), [2], true));
    return { x: b.reshape(b.binary('div', b.binary('sub', gg, along), b.binary('max', length, eps)), x.shape) };
  },
  flops: (_, __, { y }) => 4 * y,
};
