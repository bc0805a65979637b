import { otherUse } from '../encoder.ts';
import { FORMATS } from '../forms.ts';
import { dim, type KernelOf } from '../kernel.ts';

export const linear: KernelOf<'linear'> = {
  encode({ inputs: { x, w }, outputs: { y }, attrs: { transposed } }, e) {
    const { address, form } = e.weight(w);
    const inner = dim(x, 1);
    const operands = {
      ...{ x: e.address(x), w: address, y: e.address(y) },
      ...{ rows: e.size(dim(x, 0)), inner: e.size(inner), outer: e.size(dim(y, 1)) },
    };
    if (form.kind === 'packed' && form.transposed === transposed) {
      const format = e.word(FORMATS[form.format].number);
      e.emit('linear', { ...operands, format, scratch: e.scratchFor('linear', dim(x, 0), inner) });
    } else if (form.kind === 'columns' && !transposed) {
      const [format, sizes] = [e.word(FORMATS[form.format].number), [dim(x, 0), inner, dim(y, 1)]];
      e.emit('linear_sparse', { ...operands, format, scratch: e.scratchFor('linearSparse', ...sizes) });
    } else if (form.kind === 'rows' && form.format === 'f32') {
      e.emit(transposed ? 'linear_columns' : 'linear_rows', { ...operands, scratch: e.scratchFor('matrices') });
    } else {
      throw otherUse('a matrix of linear');
    }
  },
};
