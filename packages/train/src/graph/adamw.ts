import type { GraphBuilder, Value } from '@receptance/core';
import type { Group } from '../weights/groups.ts';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The variables of an optimiser for one tensor. */
export function momentNames(name: string): { readonly first: string; readonly second: string } {
  return { first: `adam.m.${name}`, second: `adam.v.${name}` };
}

/** What an optimiser is given of one tensor. */
export interface Update {
  readonly name: string;
  readonly gradient: Value;
  readonly group: Group | undefined;
  readonly rate: Value;
  readonly weightDecay: Value;
}

interface AdamUpdate extends Update {
  readonly correction1: Value;
  readonly correction2: Value;
}

/** One step of AdamW (Loshchilov and Hutter, arXiv:1711.05101) for one tensor. */
export function adamW(b: GraphBuilder, update: AdamUpdate, { beta1, beta2, epsilon }: AdamOptions): void {
  const { name, gradient, group, weightDecay, correction1, correction2 } = update;
  const { shape } = gradient;
  const names = momentNames(name);
  const mul = (x: Value | number, y: Value | number): Value => b.binary('mul', x, y);
  const decayed = (moment: string, beta: number, value: Value): Value =>
    b.binary('add', mul(beta, b.variable(moment, 'f32', shape)), mul(1 - beta, value));
  const rate = mul(update.rate, group?.rate ?? 1);
  const first = decayed(names.first, beta1, gradient);
  const second = decayed(names.second, beta2, mul(gradient, gradient));
  const deviation = b.binary('add', mul(b.unary('sqrt', second), correction2), epsilon);
  const weight = b.variable(name, 'f32', shape);
  const kept = group?.decays === true ? decayedWeight(b, weight, rate, weightDecay) : weight;
  b.update(name, b.binary('sub', kept, mul(mul(rate, correction1), b.binary('div', first, deviation))));
  b.update(names.first, first);
  b.update(names.second, second);
}

/** Weight decay that no moment sees: weight · (1 − rate · weightDecay). */
export function decayedWeight(b: GraphBuilder, weight: Value, rate: Value, weightDecay: Value): Value {
  return b.binary('mul', weight, b.binary('sub', 1, b.binary('mul', rate, weightDecay)));
}
