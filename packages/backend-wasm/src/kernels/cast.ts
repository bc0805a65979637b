import type { KernelOf } from '../kernel.ts';

export const cast: KernelOf<'cast'> = {
  encode({ inputs: { x }, outputs: { y } }, e) {
    const count = e.size(...y.shape);
    if (x.dtype === y.dtype) e.emit('copy_words', { from: e.address(x), to: e.address(y), count });
    else e.emit(y.dtype === 'i32' ? 'cast_to_whole' : 'cast_to_float', { x: e.address(x), y: e.address(y), count });
  },
};
