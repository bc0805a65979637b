import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

/** A sum of terms that nearly cancel, each rounded to f32: its relative error says nothing, its absolute error is held. */
const cancelling = { nmse: 1e-9, maxAbs: 5e-6 };

conformance(wasm(), {
  require: ['*'],
  tolerance: {
    'reduce/gradient/max,[N,9] over 1/loss': cancelling,
    'groupNorm/gradient/N=5,C=12,groups=3/loss': cancelling,
    'l2Norm/gradient/one group/loss': cancelling,
    'wkv6/gradient/N=7,S=1,H=2,D=8,lengths=7/loss': cancelling,
  },
});
