import type { Prepared, Value } from '@receptance/core';
import type { LowerContext, WebGpuKernel } from './kernel.ts';
import type { WebGpuParameters } from './parameters.ts';
import type { Tuning } from './tuning.ts';
import type { Weight } from './weight.ts';

/** What kernels are told while a plan is lowered. */
export function contextOf(
  { plan, limits }: Pick<Prepared<WebGpuKernel>, 'plan' | 'limits'>,
  parameters: WebGpuParameters,
  tuning: Tuning,
): LowerContext {
  return {
    ...tuning,
    limits,
    weight(value) {
      const place = plan.storage.get(value.id);
      const held = place?.kind === 'parameter' ? parameters.weight(place.name) : undefined;
      if (held === undefined) return plainWeight(value, value, 0);
      const [part, ...more] = held.parts;
      const plain = held.format === 'f32' && !held.flipped && more.length === 0;
      return plain && part !== undefined ? plainWeight(value, part.operand, part.at) : held;
    },
  };
}

/** Row-major f32 in one piece. Of an activation the number of rows may not be known yet: then it is told as 0. */
function plainWeight({ shape }: Value, operand: Weight['parts'][number]['operand'], at: number): Weight {
  const [rows, columns] = shape.length < 2 ? [1, Number(shape[0] ?? 1)] : [Number(shape[0]) || 0, Number(shape[1])];
  return { format: 'f32', flipped: false, rows, columns, parts: [{ operand, at, firstRow: 0, rows }] };
}
