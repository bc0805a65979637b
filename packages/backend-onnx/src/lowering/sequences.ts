import type { Dim, Value } from '@receptance/core';
import type { Ref } from './block.ts';
import { type Lowering, TO_THE_END } from './lowering.ts';

/**
 * Tokens as packed rows `[N, …]` and as steps `[T, S, …]`, T being the length of the longest sequence. Where sequences
 * are shorter, the steps behind their end hold anything; `valid` tells which they are.
 */
export interface Sequences {
  /** `[N, …tail]` → `[T, S, …tail]`. */
  toSteps(rows: Ref, tail: readonly Dim[]): Ref;
  /** `[T, S, …tail]` → `[N, …tail]`. */
  toRows(steps: Ref, tail: readonly Dim[]): Ref;
  /** `[N, …]` → `[S, T, width]`, zeros behind the end of a sequence, and back; none where that is better done by steps. */
  readonly rectangle:
    | {
        to(rows: Ref, width: Dim): Ref;
        from(rectangle: Ref, tail: readonly Dim[]): Ref;
      }
    | undefined;
  /** bool `[T, S]`; none where every step is a token. */
  readonly valid: Ref | undefined;
  /** The row before each row, the first of a sequence having `before` [S,C]: and each last row, or `before` where there is none. */
  shift(rows: Ref, before: Ref, width: Dim): { readonly shifted: Ref; readonly last: Ref };
  /** The row after each row, the last of a sequence having `after` [S,C]; and each first row, or `after` where there is none. */
  unshift(rows: Ref, after: Ref, width: Dim): { readonly shifted: Ref; readonly first: Ref };
}

export function sequencesOf(o: Lowering, starts: Value, tokens: Dim): Sequences {
  const [ends = 1] = starts.shape;
  const count = typeof ends === 'number' ? ends - 1 : ends.replace(/\+1$/, '');
  switch (o.target.form) {
    case 'single':
      return single(o);
    case 'even':
      return even(o, count, tokens);
    case 'ragged':
      return ragged(o, starts, count, tokens);
  }
}

/** One token each: rows are the steps of T = 1. */
function single(o: Lowering): Sequences {
  return {
    toSteps: (rows) => o.unsqueeze(rows, 0),
    toRows: (steps) => o.block.op('Squeeze', [steps, o.block.ints([0])]),
    valid: undefined,
    rectangle: undefined,
    shift: (rows, before) => ({ shifted: before, last: rows }),
    unshift: (rows, after) => ({ shifted: after, first: rows }),
  };
}

/** T tokens each: N = S · T. */
function even(o: Lowering, count: Dim, tokens: Dim): Sequences {
  const { block } = o;
  const sequences = o.size(count);
  const length = o.once(`length ${count} ${tokens}`, () =>
    block.op('Div', [o.size(tokens), block.op('Max', [sequences, block.ints([1])])]),
  );
  const shapeOf = (first: Ref, second: Ref, tail: readonly Dim[]): Ref =>
    o.once(`shape ${first} ${second} ${tail.join(',')}`, () =>
      o.concat([first, second, ...tail.map((dim) => o.size(dim))], 0),
    );
  const rectangle = (rows: Ref, width: Dim): Ref =>
    block.op('Reshape', [rows, shapeOf(sequences, length, [width])], { allowzero: { int: 1 } });
  const flat = (x: Ref, width: Dim): Ref => o.reshape(x, [tokens, width]);
  const swap = (x: Ref, rank: number): Ref => o.transpose(x, [1, 0, ...Array.from({ length: rank }, (_, i) => i + 2)]);
  return {
    toSteps(rows, tail) {
      const x = block.op('Reshape', [rows, shapeOf(sequences, length, tail)], { allowzero: { int: 1 } });
      return swap(x, tail.length);
    },
    toRows: (steps, tail) => o.reshape(swap(steps, tail.length), [tokens, ...tail]),
    valid: undefined,
    rectangle: {
      to: rectangle,
      from: (x, tail) => o.reshape(x, [tokens, ...tail]),
    },
    shift(rows, before, width) {
      const all = o.concat([o.unsqueeze(before, 1), rectangle(rows, width)], 1);
      return { shifted: flat(o.slice(all, 1, 0, -1), width), last: lastOf(o, all) };
    },
    unshift(rows, after, width) {
      const all = o.concat([rectangle(rows, width), o.unsqueeze(after, 1)], 1);
      return {
        shifted: flat(o.slice(all, 1, 1, TO_THE_END), width),
        first: block.op('Gather', [all, block.ints([0], [])], { axis: { int: 1 } }),
      };
    },
  };
}

function lastOf(o: Lowering, x: Ref): Ref {
  return o.block.op('Gather', [x, o.block.ints([-1], [])], { axis: { int: 1 } });
}

/** Where rows and steps are, by their numbers: int32. */
interface Places {
  /** `[T, S]`: of steps behind a sequence's end, any row. */
  readonly rowOfStep: Ref;
  /** `[N]`, into the steps in a row. */
  readonly stepOfRow: Ref;
  /** bool `[T, S]`. */
  readonly valid: Ref;
  // Rows of a table of all tokens and, behind them, one row for each sequence: `[N]`, `[N]`, `[S]`, `[S]`.
  readonly previous: Ref;
  readonly next: Ref;
  readonly last: Ref;
  readonly first: Ref;
}

/** Any lengths: rows go to a rectangle and come back by their numbers. */
function ragged(o: Lowering, starts: Value, count: Dim, tokens: Dim): Sequences {
  const { block } = o;
  const lengths = o.lengths(starts);
  const { rowOfStep, stepOfRow, valid, previous, next, last, first } =
    lengths === undefined ? computedPlaces(o, starts, count, tokens) : knownPlaces(o, lengths);
  const pick = (table: Ref, rows: Ref): Ref => block.op('Gather', [table, rows]);
  return {
    toSteps: (rows) => pick(rows, rowOfStep),
    toRows(steps, tail) {
      const flat = o.block.op('Reshape', [steps, o.concat([block.ints([-1]), ...tail.map((dim) => o.size(dim))], 0)]);
      return pick(flat, stepOfRow);
    },
    valid,
    rectangle: lengths === undefined ? undefined : paddedRectangle(o, lengths, tokens),
    shift(rows, before) {
      const table = o.concat([rows, before], 0);
      return { shifted: pick(table, previous), last: pick(table, last) };
    },
    unshift(rows, after) {
      const table = o.concat([rows, after], 0);
      return { shifted: pick(table, next), first: pick(table, first) };
    },
  };
}

function computedPlaces(o: Lowering, starts: Value, count: Dim, tokens: Dim): Places {
  const { block } = o;
  const all = o.ref(starts);
  const begin = o.slice(all, 0, 0, -1);
  const end = o.slice(all, 0, 1, TO_THE_END);
  const lengths = block.op('Sub', [end, begin]);
  const scalar = (ref: Ref): Ref => block.op('Squeeze', [ref, block.ints([0])]);
  const range = (to: Ref): Ref => block.op('Range', [block.ints32([0]), to, block.ints32([1])]);
  const N = o.cast(scalar(o.size(tokens)), 'int32');
  const longest = o.reduce('ReduceMax', o.concat([lengths, block.ints32([0], [1])], 0), [0]);
  const sequences = o.cast(scalar(o.size(count)), 'int32');

  const n = range(N);
  // The sequence of each row: how many begin at or before it, but for empty ones after it, less one.
  const ended = block.op('GreaterOrEqual', [o.unsqueeze(n, 1), o.unsqueeze(end, 0)]);
  const owner = o.reduce('ReduceSum', o.cast(ended, 'int32'), [1]);
  const place = block.op('Sub', [n, block.op('Gather', [begin, owner])]);

  const t = o.unsqueeze(range(longest), 1);
  const isFirst = block.op('Equal', [place, block.ints32([0])]);
  const isLast = block.op('Equal', [block.op('Add', [n, block.ints32([1])]), block.op('Gather', [end, owner])]);
  const isEmpty = block.op('LessOrEqual', [lengths, block.ints32([0])]);
  const extra = block.op('Add', [range(sequences), N]);
  const extraOfRow = block.op('Add', [owner, N]);
  return {
    rowOfStep: o.clamp(block.op('Add', [t, o.unsqueeze(begin, 0)]), tokens),
    stepOfRow: block.op('Add', [block.op('Mul', [place, sequences]), owner]),
    valid: block.op('Less', [t, o.unsqueeze(lengths, 0)]),
    previous: block.op('Where', [isFirst, extraOfRow, block.op('Sub', [n, block.ints32([1])])]),
    next: block.op('Where', [isLast, extraOfRow, block.op('Add', [n, block.ints32([1])])]),
    last: block.op('Where', [isEmpty, extra, block.op('Sub', [end, block.ints32([1])])]),
    first: block.op('Where', [isEmpty, extra, begin]),
  };
}

/** Tokens of sequences of known lengths, in a row: whose each is and its place there. */
function tokensOf(lengths: readonly number[]): readonly { readonly s: number; readonly t: number }[] {
  return lengths.flatMap((length, s) => Array.from({ length }, (_, t) => ({ s, t })));
}

/** The same, as constants. */
function knownPlaces({ block }: Lowering, lengths: readonly number[]): Places {
  const tokens = tokensOf(lengths);
  const [S, N, T] = [lengths.length, tokens.length, Math.max(0, ...lengths)];
  const begins = lengths.map((_, s) => tokens.findIndex((token) => token.s === s));
  const steps = Array.from({ length: T }, (_, t) => lengths.map((length, s) => ({ s, t, isToken: t < length }))).flat();
  const perRow = (of: (s: number, t: number, n: number) => number): Ref =>
    block.ints32(
      tokens.map(({ s, t }, n) => of(s, t, n)),
      [N],
    );
  const perSequence = (of: (begin: number, length: number) => number): Ref =>
    block.ints32(
      lengths.map((length, s) => (length === 0 ? N + s : of(begins[s] ?? 0, length))),
      [S],
    );
  return {
    rowOfStep: block.ints32(
      steps.map(({ s, t, isToken }) => (isToken ? (begins[s] ?? 0) + t : 0)),
      [T, S],
    ),
    stepOfRow: perRow((s, t) => t * S + s),
    valid: block.flags(
      steps.map(({ isToken }) => isToken),
      [T, S],
    ),
    previous: perRow((s, t, n) => (t === 0 ? N + s : n - 1)),
    next: perRow((s, t, n) => (t + 1 === lengths[s] ? N + s : n + 1)),
    last: perSequence((begin, length) => begin + length - 1),
    first: perSequence((begin) => begin),
  };
}

/** Behind the end of a sequence its rows are zeros: to a memory, a token that decays nothing and adds nothing. */
function paddedRectangle(o: Lowering, lengths: readonly number[], tokens: Dim): Sequences['rectangle'] {
  const { block } = o;
  const [S, T] = [lengths.length, Math.max(0, ...lengths)];
  const places = tokensOf(lengths).map(({ s, t }) => s * T + t);
  const rows = Array<number>(S * T).fill(places.length);
  places.forEach((place, n) => {
    rows[place] = n;
  });
  const [rowOfPlace, placeOfRow] = [block.ints32(rows, [S, T]), block.ints32(places, [places.length])];
  return {
    to(x, width) {
      const table = o.concat([o.reshape(x, [tokens, width]), o.full(0, [1, width])], 0);
      return block.op('Gather', [table, rowOfPlace]);
    },
    from: (x, tail) => block.op('Gather', [o.reshape(x, [S * T, ...tail]), placeOfRow]),
  };
}
