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
  const buffers: { readonly bytes: number; readonly spans: Span[] }[] = [];
  for (const { span, bytes } of sized.toSorted((a, b) => b.bytes - a.bytes || a.span.from - b.span.from)) {
    let best: { readonly index: number; readonly idle: number } | undefined;
    for (const [index, buffer] of buffers.entries()) {
      const idle = idleAround(buffer.spans, span);
      if (idle !== undefined && idle < (best?.idle ?? Number.POSITIVE_INFINITY)) best = { index, idle };
    }
    const index = best?.index ?? buffers.push({ bytes, spans: [] }) - 1;
    buffers[index]?.spans.push(span);
    places.set(span.value.id, index);
  }
  return { places, buffers: buffers.map(({ bytes }) => ({ bytes })) };
}

/** Steps from a span to its nearest neighbour in a buffer; nothing if it overlaps with one. */
function idleAround(taken: readonly Span[], { from, to }: Span): number | undefined {
  let idle = Number.MAX_SAFE_INTEGER;
  for (const other of taken) {
    if (from <= other.to && other.from <= to) return undefined;
    idle = Math.min(idle, other.to < from ? from - other.to : other.from - to);
  }
  return idle;
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
