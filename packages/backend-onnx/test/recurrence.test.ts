import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { onnx } from '../src/index.ts';

// As files have it, where the device itself has LinearAttention.
const golden = (await goldenFiles()).filter(({ name }) => /rwkv[67].*\.safetensors$|wkv[56]/.test(name));

conformance(onnx({ recurrence: 'scan' }), {
  golden,
  only: ['wkv6/f32/', 'timeMix', 'identity/', 'golden/op/ops/wkv', 'golden/logits/', 'golden/greedy/'],
  require: ['*'],
});
