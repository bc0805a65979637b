import type { Sizes, Value } from '@receptance/core';
import { axisSize, type KernelOf, type Program, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { FORMATS, type Weight } from '../weight.ts';
import { isProjectable, project } from './_project.ts';

export const linear: KernelOf<'linear'> = {
  lower({ x, w }, { y }, { transposed }, context) {
    const weight = context.weight(w);
    // A matrix that is held turned is read along its rows where it is said to be read along its columns.
    const alongColumns = transposed !== weight.flipped;
    const tokens = (sizes: Sizes): number => axisSize(x, 0, sizes);
    if (!alongColumns && isProjectable({ ...weight, flipped: false })) {
      return project({ jobs: [{ weight }], tokens, x, y }, context);
    }
    const [part, ...more] = weight.parts;
    const by4 = weight.columns % 4 === 0 && weight.rows % 4 === 0;
    if (alongColumns && weight.format === 'f32' && by4 && part !== undefined && more.length === 0) {
      return [columnsBy4(x, weight, y)];
    }
    return weight.parts.map((_, i) => anySize(x, weight, i, y, alongColumns));
  },
};

function columnsBy4(x: Value, { parts, rows, columns }: Weight, y: Value): Program {
  const [part] = parts;
  return {
    shader: shader('linearBy4'),
    bindings: [read(part?.operand ?? x), read(x), write(y)],
    launch(sizes) {
      const count = (axisSize(x, 0, sizes) * columns) / 4;
      return { workgroups: perElement(count), params: [count, rows, columns, part?.at ?? 0] };
    },
  };
}

function anySize(
  x: Value,
  { format, parts, columns }: Weight,
  index: number,
  y: Value,
  alongColumns: boolean,
): Program {
  const part = parts[index];
  const operand = part?.operand ?? x;
  return {
    shader: shader('linear', '_weights'),
    constants: { FORMAT: FORMATS.indexOf(format), TRANSPOSED: Number(alongColumns), ADDS: Number(index > 0) },
    bindings: [read(operand), read(operand), read(x), write(y)],
    launch(sizes) {
      const [tokens, inner, outer] = [axisSize(x, 0, sizes), axisSize(x, 1, sizes), axisSize(y, 1, sizes)];
      const rows = part?.rows ?? 0;
      const count = tokens * (alongColumns ? outer : rows);
      return {
        workgroups: perElement(count),
        params: [count, inner, outer, part?.at ?? 0, rows, columns, part?.firstRow ?? 0],
      };
    },
  };
}
