import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { onnx } from '../src/index.ts';

/** A sum of terms of both signs that cancel, so that little of it is left to compare. */
const CANCELLED = { nmse: 1e-8 };

/** Activations times blocks are split into two numbers of 8 bits: what is left is some 2e-5 of the largest of 32. */
const SPLIT = { nmse: 1e-8, maxAbs: 1e-4 };

const golden = await goldenFiles();

conformance(onnx({ activations: 'exact' }), {
  golden,
  require: ['*'],
  tolerance: {
    'reduce/f32/mean,[N,3,5] over all': CANCELLED,
    'reduce/gradient/mean,[N,3,5] over all': CANCELLED,
    // Near 1000 the neighbours of an f32 are 6e-5 apart, and so are the exponents of neighbouring sums.
    'wkv4/gradient/|k|=1e3': { nmse: 1e-7, maxAbs: 5e-4 },
    'linear/f32/q': SPLIT,
    'linear/gradient/q': SPLIT,
    'golden/logits/models/rwkv7_l2_c128_v97.q4_0.gguf': SPLIT,
    'golden/logits/models/rwkv7_l2_c128_v97.q8_0.gguf': SPLIT,
  },
});

// As devices are unless told otherwise: activations in 8 bits, within what the suite allows for that.
conformance(onnx(), {
  golden: golden.filter(({ name }) => /\.q\d_\d\.gguf/.test(name)),
  only: ['linear/f32/q', 'linear/gradient/q', 'golden/'],
  require: ['*'],
});
