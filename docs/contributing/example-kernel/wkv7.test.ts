import { reference } from '@receptance/backend-reference';
import { conformance } from '@receptance/conformance/vitest';
import { GraphBuilder } from '@receptance/core';
import { expect, test } from 'vitest';
import { kernels } from './kernels.ts';
import { wkv7 } from './wkv7.ts';

const held = ['wkv7/', 'timeMix7/'];
conformance(reference({ kernels }), { only: held, require: held });

test('it takes heads of whole lanes, and leaves the others to the backend', () => {
  const nodeOf = (D: number) => {
    const b = new GraphBuilder('a head');
    const row = (name: string) => b.input(name, 'f32', ['N', 2, D]);
    const inputs = { r: row('r'), lw: row('lw'), k: row('k'), v: row('v'), a: row('a'), b: row('b') };
    const state = { s0: b.input('s0', 'f32', ['S', 2, D, D]), starts: b.input('starts', 'i32', ['S+1']) };
    b.output('y', b.add('wkv7', { ...inputs, ...state }).y);
    return b.build().nodes.find(({ op }) => op === 'wkv7');
  };
  const info = { backend: 'reference', adapter: '', threads: 1, float: 'f64', ragged: true } as const;
  const [whole, odd] = [nodeOf(64), nodeOf(5)];
  expect(whole && wkv7.accepts?.(whole, info)).toBe(true);
  expect(odd && wkv7.accepts?.(odd, info)).toBe('heads of 5 channels, not a multiple of 4');
});
