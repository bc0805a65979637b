import type { KernelOf } from '../kernel.ts';
import { widenNumbers } from '../lowering/weights.ts';

/** Rows of a table in blocks are widened when they are picked: the table itself never is. */
export const gather: KernelOf<'gather'> = {
  lower({ table, ids }, { y }, _, o) {
    const { block } = o;
    // Kept within a table of one row, every number picks that row.
    if ([table, ids].every(({ shape: [rows = 0] }) => o.fixed(rows) === 1))
      return { y: o.reshape(o.ref(table), y.shape) };
    const rows = o.clamp(o.ref(ids), table.shape[0] ?? 0);
    const pick = (data: string): string => block.op('Gather', [data, rows]);
    const weight = o.blocks(table);
    if (weight === undefined) return { y: pick(o.ref(table)) };
    const numbers = weight.signed
      ? o.cast(pick(weight.data()), 'float32')
      : widenNumbers(pick(weight.data()), weight.bits, block);
    return { y: o.reshape(block.op('Mul', [numbers, o.unsqueeze(pick(weight.scales()), 2)]), y.shape) };
  },
};
