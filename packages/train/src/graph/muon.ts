import type { GraphBuilder, Value } from '@receptance/core';
import { decayedWeight, momentNames, type Update } from './adamw.ts';

const MOMENTUM = 0.95;
/** x ↦ a x + b x³ + c x⁵ brings every singular value in (0, 1] near to 1 within a few turns. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const TURNS = 5;
const LEAST_NORM = 1e-7;
/** The root mean square of what AdamW changes a number by, in learning rates: with it both optimisers take the same rates. */
const USUAL_CHANGE = 0.2;

/**
 * One step of Muon (Jordan et al. 2024) for one matrix [m, n]: the momentum, with all its singular values brought to about 1, scaled
 * and decayed as in arXiv:2502.16982. It keeps one moment, where AdamW keeps two.
 */
export function muon(b: GraphBuilder, { name, gradient, group, rate: common, weightDecay }: Update): void {
  const { shape } = gradient;
  const { first } = momentNames(name);
  const rate = b.binary('mul', common, group?.rate ?? 1);
  const moment = b.binary('add', b.binary('mul', MOMENTUM, b.variable(first, 'f32', shape)), gradient);
  const ahead = b.binary('add', gradient, b.binary('mul', MOMENTUM, moment));
  const scale = USUAL_CHANGE * Math.sqrt(Math.max(...shape.map(Number)));
  const change = b.binary('mul', b.binary('mul', rate, scale), orthogonalised(b, ahead));
  const weight = b.variable(name, 'f32', shape);
  const kept = group?.decays === true ? decayedWeight(b, weight, rate, weightDecay) : weight;
  b.update(name, b.binary('sub', kept, change));
  b.update(first, moment);
}

/** U Vᵀ, nearly, of a matrix U S Vᵀ: the Newton-Schulz iteration on the smaller of its two Gram matrices. */
export function orthogonalised(b: GraphBuilder, matrix: Value): Value {
  const [rows = 0, columns = 0] = matrix.shape.map(Number);
  const wide = rows <= columns;
  const norm = b.unary('sqrt', b.reduce('sum', b.binary('mul', matrix, matrix), [0, 1]));
  let x = b.binary('div', matrix, b.binary('add', norm, LEAST_NORM));
  const product = (left: Value, right: Value, transposeA: boolean, transposeB: boolean): Value =>
    b.add('matmul', { a: left, b: right }, { transposeA, transposeB }).y;
  for (let turn = 0; turn < TURNS; turn++) {
    const gram = product(x, x, !wide, wide);
    const squared = product(gram, gram, false, false);
    const odd = b.binary('add', b.binary('mul', B, gram), b.binary('mul', C, squared));
    const turned = wide ? product(odd, x, false, false) : product(x, odd, false, false);
    x = b.binary('add', b.binary('mul', A, x), turned);
  }
  return x;
}
