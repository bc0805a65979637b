import { conformance } from '@receptance/conformance/vitest';
import { GraphBuilder } from '@receptance/core';
import { expect, test } from 'vitest';
import { example } from './backend.ts';

const ELEMENTS = ['unary', 'binary', 'select', 'cast', 'broadcast', 'full'];
const CLAIMED = [...ELEMENTS, 'argmax', 'gather', 'linear', 'tokenShift', 'stateRead', 'stateWrite'];
/** Their parts are claimed: each is run decomposed. */
const COMPOSITES = ['lerp', 'lora', 'silu', 'reluSquared', 'channelMix7'];
const held = [...[...CLAIMED, ...COMPOSITES].map((op) => `${op}/f32/`), 'reduce/f32/sum', 'graph/'];

// `only` keeps what is not claimed out of this repository's counts; a new backend leaves it out and reads the reasons.
conformance(example(), { only: held, require: held });

test('what is not claimed is refused with a reason', async () => {
  const device = await example().open();
  const b = new GraphBuilder('refused');
  b.output('y', b.reduce('max', b.input('x', 'f32', ['N', 4]), [1]));
  const parameters = await device.loadParameters({ tensors: new Map(), read: async () => new Uint8Array() }, []);
  await expect(device.compile(b.build(), parameters, { N: 1 })).rejects.toThrow('example cannot run reduce: only sums');
});
