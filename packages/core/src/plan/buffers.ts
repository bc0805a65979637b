import { type Part, partOf } from '../autodiff/parts.ts';
import { elementCount } from '../ir/shape.ts';
import type { Node, Sizes, Value } from '../ir/types.ts';

/** A piece of memory that values take turns in. */
export interface PlannedBuffer {
  readonly bytes: number;
}

/** A value, and the steps, by their places in the graph, from the one that makes it to the last that needs it. */
export interface Span {
  readonly value: Value;
  readonly maker: Node;
  readonly from: number;
  readonly to: number;
}

interface Shared {
  /** Value → its buffer. */
  readonly places: ReadonlyMap<number, number>;
  readonly buffers: readonly PlannedBuffer[];
}

/**
 * Values that are never there at the same time share a buffer. The largest choose first, each the buffer that it leaves idle
 * for the shortest time (Pisarchyk and Lee 2020, arXiv:2001.03288, greedy by size).
 */
export function shareBuffers(spans: readonly Span[], limits: Sizes): Shared {
  const sized = spans.map((span) => ({ span, bytes: bytesOf(span, limits) }));
  const places = new Map<number, number>();
  const buffers: Taken[] = [];
  for (const { span, bytes } of sized.toSorted((a, b) => b.bytes - a.bytes || a.span.from - b.span.from)) {
    const index = leastIdle(buffers, span) ?? buffers.push({ bytes, spans: [] }) - 1;
    const taken = buffers[index]?.spans;
    taken?.splice(placeOf(taken, span), 0, span);
    places.set(span.value.id, index);
  }
  return { places, buffers: buffers.map(({ bytes }) => ({ bytes })) };
}

/** A buffer, and its spans in order. */
interface Taken {
  readonly bytes: number;
  readonly spans: Span[];
}

/** The buffer that a span leaves idle for the shortest time, if there is one that it fits into. */
function leastIdle(buffers: readonly Taken[], span: Span): number | undefined {
  let best: number | undefined;
  let shortest = Number.POSITIVE_INFINITY;
  for (const [index, { spans }] of buffers.entries()) {
    const idle = idleAround(spans, span);
    if (idle === undefined || idle >= shortest) continue;
    shortest = idle;
    best = index;
  }
  return best;
}

/** Steps from a span to its nearest neighbour in a buffer, whose spans are in order; nothing if it overlaps with one. */
function idleAround(taken: readonly Span[], span: Span): number | undefined {
  const at = placeOf(taken, span);
  const [before, after] = [taken[at - 1], taken[at]];
  if ((before !== undefined && span.from <= before.to) || (after !== undefined && after.from <= span.to))
    return undefined;
  const since = before === undefined ? Number.MAX_SAFE_INTEGER : span.from - before.to;
  return after === undefined ? since : Math.min(since, after.from - span.to);
}

/** How many of the spans, which are in order, begin before another does. */
function placeOf(taken: readonly Span[], { from }: Span): number {
  let [low, high] = [0, taken.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((taken[middle]?.from ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the values take at the step that has most of them, by what made them. */
export function fullestStep(spans: readonly Span[], limits: Sizes): Readonly<Record<Part, number>> {
  const changes = spans.flatMap((span) => {
    const change = { part: partOf(span.maker), bytes: bytesOf(span, limits) };
    return [
      { ...change, at: span.from },
      { ...change, at: span.to + 1, bytes: -change.bytes },
    ];
  });
  const now = { forward: 0, again: 0, backward: 0 };
  let fullest = { ...now };
  const total = (parts: typeof now): number => parts.forward + parts.again + parts.backward;
  // What ends before a step makes room for what begins there.
  for (const { part, bytes } of changes.toSorted((a, b) => a.at - b.at || a.bytes - b.bytes)) {
    now[part] += bytes;
    if (total(now) > total(fullest)) fullest = { ...now };
  }
  return fullest;
}

export function bytesOf({ value }: Pick<Span, 'value'>, limits: Sizes): number {
  return Math.max(4, elementCount(value.shape, limits) * 4);
}
