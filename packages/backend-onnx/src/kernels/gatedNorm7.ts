import type { KernelOf } from '../kernel.ts';
import { normOfGroups } from './groupNorm.ts';

/** By columns of heads [N,H,D,1]; the bonus of the present token is a product of a row and a column. */
export const gatedNorm7: KernelOf<'gatedNorm7'> = {
  lower({ y, r, k, v, g, r_k, w, b }, _, { eps }, o) {
    const { block } = o;
    const [rows = 0, width = 0] = y.shape;
    if (o.isEmpty(y.shape)) return { y: o.ref(y) };
    const [groups = 0, size = 0] = r_k.shape.map(Number);
    const column = (x: string): string => o.reshape(x, [rows, groups, size, 1]);
    const weighted = block.op('Mul', [o.ref(r), o.reshape(o.ref(r_k), [1, width])]);
    const bonus = block.op('MatMul', [o.reshape(o.ref(k), [rows, groups, 1, size]), column(weighted)]);
    const present = block.op('Mul', [bonus, column(o.ref(v))]);
    const sum = block.op('Add', [normOfGroups(y, w, b, { groups, size, eps }, o), present]);
    return { y: block.op('Mul', [o.reshape(sum, y.shape), o.ref(g)]) };
  },
};
