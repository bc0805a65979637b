import { dim, type KernelOf } from '../kernel.ts';

export const sample: KernelOf<'sample'> = {
  encode({ inputs: { logits, parameters, counts, u }, outputs: { token, counts: after } }, e) {
    const width = dim(logits, 1);
    e.emit('sample', {
      ...{ logits: e.address(logits), parameters: e.address(parameters), counts: e.address(counts), u: e.address(u) },
      ...{ token: e.address(token), counts_after: e.address(after), scratch: e.scratch(2, width) },
      ...{ rows: e.size(dim(logits, 0)), width: e.size(width) },
    });
  },
};
