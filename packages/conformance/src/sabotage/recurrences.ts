import type { KernelOf, Numbers, Tensor } from '@receptance/backend-reference';
import { replaced, type Sabotage } from './sabotage.ts';

/** What may go wrong in a recurrence over a matrix-valued state. */
interface Mistakes {
  /** The state is read on the other side of the update: wkv6 reads before it, wkv7 after it. */
  readonly readAtTheWrongTime?: boolean;
  /** The state starts from nothing. */
  readonly dropped?: boolean;
  /** It goes on from one sequence into the next. */
  readonly leaks?: boolean;
  /** The decay is taken as it is, not as a logarithm. */
  readonly decayIsNoLog?: boolean;
  /** The decay acts on the other axis of the state. */
  readonly decayOfOtherAxis?: boolean;
  /** The state is written [key, value] for [value, key], or the other way round. */
  readonly transposed?: boolean;
  /** wkv7: S a reads the state after the decay. */
  readonly removesAfterDecay?: boolean;
  /** wkv7: what is removed is added. */
  readonly removesWithWrongSign?: boolean;
  /** wkv6: no bonus for the present token. */
  readonly noBonus?: boolean;
  /** One more token is seen than the sequence has, or one less. */
  readonly forgetsLastToken?: boolean;
  /** The pools' rows are taken in order. */
  readonly slotsIgnored?: boolean;
}

const COMMON: Readonly<Record<string, Mistakes>> = {
  'the state starts from nothing': { dropped: true },
  'the state goes on into the next sequence': { leaks: true },
  'the decay is no logarithm': { decayIsNoLog: true },
  'the decay acts on the other axis': { decayOfOtherAxis: true },
  'the state is transposed': { transposed: true },
  'the last token is forgotten': { forgetsLastToken: true },
  'slots are ignored': { slotsIgnored: true },
};

export const recurrences: readonly Sabotage[] = [
  ...Object.entries({
    ...COMMON,
    'read before the update': { readAtTheWrongTime: true },
    'what is removed is read after the decay': { removesAfterDecay: true },
    'what is removed is added': { removesWithWrongSign: true },
  }).map(([name, mistakes]) => replaced('wkv7', name, wkv7With(mistakes))),
  ...Object.entries({
    ...COMMON,
    'read after the update': { readAtTheWrongTime: true },
    'no bonus': { noBonus: true },
  }).map(([name, mistakes]) => replaced('wkv6', name, wkv6With(mistakes))),
];

/** Calls `step` for each token of each head with the state's place and the token's, and keeps the states as told. */
function walk(
  { s0, starts, slots, shape }: { s0: Tensor; starts: Tensor; slots: Tensor | undefined; shape: readonly number[] },
  s: Tensor,
  mistakes: Mistakes,
  step: (state: Numbers, token: number) => void,
): void {
  const [, heads = 0, size = 0] = shape;
  const area = heads * size * size;
  if (slots === undefined) s.data.set(s0.data);
  let before: Numbers | undefined;
  for (let n = 0; n + 1 < starts.data.length; n++) {
    const row = slots === undefined || mistakes.slotsIgnored === true ? n : (slots.data[n] ?? 0);
    const state = s.data.subarray(row * area, (row + 1) * area);
    if (mistakes.dropped === true) state.fill(0);
    if (mistakes.leaks === true && before !== undefined) state.set(before);
    const end = (starts.data[n + 1] ?? 0) - (mistakes.forgetsLastToken === true ? 1 : 0);
    for (let h = 0; h < heads; h++) {
      const own = state.subarray(h * size * size, (h + 1) * size * size);
      for (let t = starts.data[n] ?? 0; t < end; t++) step(own, (t * heads + h) * size);
      if (mistakes.transposed === true) transpose(own, size);
    }
    before = state;
  }
}

function transpose(state: Numbers, size: number): void {
  const copy = state.slice();
  for (let i = 0; i < state.length; i++) state[i] = copy[(i % size) * size + Math.floor(i / size)] ?? 0;
}

function wkv7With(mistakes: Mistakes): KernelOf<'wkv7'>['run'] {
  return ({ r, lw, k, v, a, b, s0, starts, slots }, { y, s }) => {
    const size = r.shape[2] ?? 0;
    walk({ s0, starts, slots, shape: r.shape }, s, mistakes, (state, at) => {
      const old = state.slice();
      const of = (x: Tensor, i: number): number => x.data[at + i] ?? 0;
      const decay = (i: number): number => (mistakes.decayIsNoLog === true ? of(lw, i) : Math.exp(of(lw, i)));
      for (let i = 0; i < size; i++) {
        let removed = 0;
        for (let j = 0; j < size; j++) {
          const kept = mistakes.removesAfterDecay === true ? decay(j) : 1;
          removed += (old[i * size + j] ?? 0) * kept * of(a, j);
        }
        if (mistakes.removesWithWrongSign === true) removed = -removed;
        for (let j = 0; j < size; j++) {
          const kept = (old[i * size + j] ?? 0) * decay(mistakes.decayOfOtherAxis === true ? i : j);
          state[i * size + j] = kept + removed * of(b, j) + of(v, i) * of(k, j);
        }
        const read = mistakes.readAtTheWrongTime === true ? old : state;
        let sum = 0;
        for (let j = 0; j < size; j++) sum += (read[i * size + j] ?? 0) * of(r, j);
        y.data[at + i] = sum;
      }
    });
  };
}

function wkv6With(mistakes: Mistakes): KernelOf<'wkv6'>['run'] {
  return ({ r, lw, k, v, u, s0, starts, slots }, { y, s }) => {
    const size = r.shape[2] ?? 0;
    walk({ s0, starts, slots, shape: r.shape }, s, mistakes, (state, at) => {
      const old = state.slice();
      const of = (x: Tensor, i: number): number => x.data[(at + i) % x.data.length] ?? 0;
      const decay = (i: number): number => (mistakes.decayIsNoLog === true ? of(lw, i) : Math.exp(of(lw, i)));
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let i = 0; i < size; i++) {
          const added = of(k, i) * of(v, j);
          const kept = (old[i * size + j] ?? 0) * decay(mistakes.decayOfOtherAxis === true ? j : i);
          state[i * size + j] = kept + added;
          const read = mistakes.readAtTheWrongTime === true ? kept : (old[i * size + j] ?? 0);
          sum += of(r, i) * (read + (mistakes.noBonus === true ? 0 : of(u, i) * added));
        }
        y.data[at + j] = sum;
      }
    });
  };
}
