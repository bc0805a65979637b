import { ReceptanceError } from '../errors.ts';
import { concreteShape, elementCount, formatShape } from '../ir/shape.ts';
import { type Graph, leaves, type Shape, type Sizes, type Value } from '../ir/types.ts';
import type { TensorInfo, WeightSource } from '../weights/weights.ts';

/** One leaf that a device must hold, and the stored tensor it comes from (none: zeros). */
export interface ParameterEntry {
  readonly name: string;
  readonly kind: 'parameter' | 'variable';
  readonly value: Value;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly stored: TensorInfo | undefined;
}

/**
 * The parameters and variables of all graphs that share them, held against the source before anything is allocated.
 * A stored shape may differ from the declared one by axes of length 1.
 * @throws ReceptanceError `MISSING_TENSOR`, `SHAPE_MISMATCH`, `UNSUPPORTED_DTYPE`, `BAD_GRAPH`
 */
export function resolveParameters(source: WeightSource, uses: readonly Graph[], limits: Sizes = {}): ParameterEntry[] {
  const entries = new Map<string, ParameterEntry>();
  const missing: string[] = [];
  for (const kind of ['parameter', 'variable'] as const) {
    for (const [name, value] of uses.flatMap((graph) => [...leaves(graph, kind)])) {
      const known = entries.get(name);
      if (known !== undefined) {
        checkSame(known, kind, value);
        continue;
      }
      const stored = source.tensors.get(name);
      if (stored === undefined && kind === 'parameter') missing.push(name);
      if (stored !== undefined) checkStored(name, value, stored, limits);
      const shape = concreteShape(value.shape, limits);
      entries.set(name, { name, kind, value, shape, elements: elementCount(shape), stored });
    }
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ` and ${missing.length - 5} more` : '');
    throw new ReceptanceError('MISSING_TENSOR', `the weights have no tensor ${shown}`, {
      hint: 'the file may be of another RWKV version, or cut short when it was saved',
    });
  }
  return [...entries.values()];
}

function checkSame(known: ParameterEntry, kind: 'parameter' | 'variable', value: Value): void {
  if (known.kind === kind && known.value.dtype === value.dtype && sameUpToUnits(known.value.shape, value.shape)) return;
  throw new ReceptanceError('BAD_GRAPH', `${known.name} is declared in two ways by graphs that share it`, {
    hint: 'a leaf is a parameter or a variable in all of them, of one dtype and shape',
  });
}

function checkStored(name: string, value: Value, stored: TensorInfo, limits: Sizes): void {
  const wanted = concreteShape(value.shape, limits);
  if (!sameUpToUnits(wanted, stored.shape)) {
    throw new ReceptanceError(
      'SHAPE_MISMATCH',
      `tensor ${name} has shape ${formatShape(stored.shape)}, the model needs ${formatShape(wanted)}`,
      { hint: 'sizes are read from the other tensors: the file may be damaged, or of another architecture' },
    );
  }
  const widens = value.dtype === 'f32' && stored.dtype !== 'i32';
  if (value.dtype !== stored.dtype && !widens) {
    throw new ReceptanceError(
      'UNSUPPORTED_DTYPE',
      `tensor ${name} is stored as ${stored.dtype}, needed as ${value.dtype}`,
      {
        hint: 'weights are taken as they are stored, or widened; they are never narrowed silently',
      },
    );
  }
}

function sameUpToUnits(a: Shape, b: Shape): boolean {
  const [x, y] = [a.filter((dim) => dim !== 1), b.filter((dim) => dim !== 1)];
  return x.length === y.length && x.every((dim, i) => dim === y[i]);
}
