import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { FORMATS } from '../weight.ts';

export const gather: KernelOf<'gather'> = {
  lower({ table, ids }, { y }, _, context) {
    const { format, parts } = context.weight(table);
    return parts.map(({ operand, at, firstRow, rows }) => ({
      shader: shader('gather', '_weights'),
      constants: { FORMAT: FORMATS.indexOf(format) },
      bindings: [read(operand), read(operand), read(ids), write(y)],
      launch(sizes) {
        const [all, width] = [axisSize(table, 0, sizes), axisSize(table, 1, sizes)];
        const count = axisSize(ids, 0, sizes) * width;
        return {
          workgroups: perElement(count),
          params: [count, width, all, at, firstRow, parts.length > 1 ? rows : all],
        };
      },
    }));
  },
};
