import { aftConv, aftFull, aftSimple, GraphBuilder, type Value } from '@receptance/core';
import type { Check } from './check.ts';
import { C, chunked, convolution, formsCheck, recurrent, T, type Wkv4Inputs } from './wkv4-forms.ts';

/**
 * From the attention-free transformer to RWKV: T×T weights for pairs of places; where they depend on the distance alone, one
 * weight for each distance; where they fall by the same amount with every step, one number. The same sums are then a
 * recurrence, a convolution, and what is between: chunks.
 */
export function aftFormsChecks(): Check[] {
  const decaying = aftCheck('aft', -0.3, 0.7, (b, x) => {
    const places = Array.from({ length: T * T }, (_, at) => Math.floor(at / T) - (at % T));
    const w = b.constant(places.map(weightOf(-0.3, 0.7)), 'f32', [T, T]);
    const distances = Array.from({ length: 2 * T - 1 }, (_, tap) => tap - (T - 1));
    const f = b.constant(distances.map(weightOf(-0.3, 0.7)), 'f32', [1, 2 * T - 1]);
    b.output('parallel', aftFull(b, { ...x, w }, { causal: true }));
    b.output('parallel by distance', aftConv(b, { ...x, f }, { causal: true }));
  });
  const simple = aftCheck('aft-simple', 0, 0, (b, x) => b.output('parallel', aftSimple(b, x, { causal: true })));
  return [decaying, simple];
}

/** What RWKV-4 weighs a token by that lies `distance` back: w for each step in between, u for the token itself. */
function weightOf(w: number, u: number): (distance: number) => number {
  return (distance) => (distance > 0 ? w * (distance - 1) : distance === 0 ? u : 0);
}

interface AftInputs {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

function aftCheck(name: string, w: number, u: number, parallel: (b: GraphBuilder, x: AftInputs) => void): Check {
  return formsCheck(name, ({ normal }) => {
    const b = new GraphBuilder(`${name} in all forms`);
    const input = (tensor: string): Value => b.input(tensor, 'f32', [T, C]);
    const x = { q: input('q'), k: input('k'), v: input('v') };
    const everywhere = (value: number): Value => b.constant(Array.from({ length: C }, () => value));
    const wkv: Wkv4Inputs = { w: everywhere(w), u: everywhere(u), k: x.k, v: x.v };
    const gated = (y: Value): Value => b.binary('mul', b.unary('sigmoid', x.q), y);
    b.output('recurrent', gated(recurrent(b, wkv)));
    parallel(b, x);
    b.output('convolution', gated(convolution(b, wkv)));
    b.output('chunked', gated(chunked(b, wkv)));
    return { graph: b.build(), inputs: { q: normal(T * C), k: normal(T * C), v: normal(T * C) } };
  });
}
