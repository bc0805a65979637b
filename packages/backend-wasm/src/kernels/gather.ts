import { otherUse } from '../encoder.ts';
import { FORMATS } from '../forms.ts';
import { dim, type KernelOf } from '../kernel.ts';

export const gather: KernelOf<'gather'> = {
  encode({ inputs: { table, ids }, outputs: { y } }, e) {
    const { address, form } = e.weight(table);
    if (form.kind !== 'rows') {
      throw otherUse('a table of gather');
    }
    e.emit('gather', {
      ...{ format: e.word(FORMATS[form.format].number), table: address, ids: e.address(ids), y: e.address(y) },
      ...{ count: e.size(dim(ids, 0)), rows: e.size(dim(table, 0)), width: e.size(dim(table, 1)) },
    });
  },
};
