/**
 * Reads mutations of files, and prints how many they were and by how many bytes the process grew meanwhile: a process of its
 * own, since what others need would be counted, too.
 */
import { readFileSync } from 'node:fs';
import { fixture, survive } from './sources.ts';

const ROUNDS = 1000;
const GGUF = new URL('../../../conformance/golden/models/rwkv7_l2_c128_tok_v600.f16.gguf', import.meta.url);

const files = [
  ...['views.pth', 'nested.pth', 'module.pth', 'pairs.pth', 'official.safetensors', 'views.safetensors'].map(fixture),
  // Its header, and too little behind it.
  new Uint8Array(readFileSync(GGUF)).slice(0, 40_000),
];

let state = 1;
/** A whole number below `bound`. */
function random(bound: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function mutated(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const values = [0, 1, 0x7f, 0x80, 0xff, random(256)];
  for (let left = 1 + random(4); left > 0; left--) changed[random(bytes.length)] = values[random(values.length)] ?? 0;
  return changed;
}

const peak = (): number => 1024 * process.resourceUsage().maxRSS;
for (const bytes of files) await survive(bytes, Number.POSITIVE_INFINITY);
const before = peak();
let count = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const bytes of files) {
    await survive(mutated(bytes), Number.POSITIVE_INFINITY);
    count++;
  }
}
process.stdout.write(JSON.stringify({ count, grown: peak() - before }));
