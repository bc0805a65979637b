/** What opening a model on ONNX Runtime takes, and whether a token costs later what it did at first: `node … onnx-session.ts FILE`. */
import { readFileSync, statSync } from 'node:fs';
import { onnx } from '@receptance/backend-onnx';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { type DeviceBuffer, detectModel, greedyGraph, resetGraph } from '@receptance/core';

const [file, count = '10000'] = process.argv.slice(2);
if (file === undefined) throw new Error('give a checkpoint, and how many tokens to decode (default 10000)');
const tokens = Number(count);
const STEPS = 50;

/** In bytes: `VmHWM` is the most that the process ever had, `VmRSS` what it has; Linux tells both. */
function memory(field: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1] ?? Number.NaN) * 1024;
}

const began = performance.now();
const checkpoint = await openCheckpointFile(file);
const model = detectModel(checkpoint.tensors);
const device = await onnx({ threads: 1 }).open();
// Of which ONNX Runtime itself, its thread and this program are a part: no model.
const base = memory('VmRSS');
const [greedy, reset] = [greedyGraph(model), resetGraph(model)];
const parameters = await device.loadParameters(checkpoint, [greedy, reset], { limits: { Z: 1 } });
await checkpoint.close();
const decode = await device.compile(greedy, parameters, { N: 1, S: 1, R: 1 });
const begin = await device.compile(reset, parameters, { S: 1 });
const integers = (numbers: readonly number[]): DeviceBuffer => {
  const buffer = device.alloc('i32', numbers.length);
  device.write(buffer, numbers);
  return buffer;
};
const inputs = { tokens: integers([1]), starts: integers([0, 1]), slots: integers([0]), rows: integers([0]) };
const next = device.alloc('i32', STEPS);
const run = async (steps: number): Promise<void> => {
  const loop = { steps, carry: { tokens: 'next' }, feed: [], collect: ['next'] };
  await device.run(decode, { sizes: { N: 1, S: 1, R: 1 }, inputs, outputs: { next } }, loop);
  await device.read(next, 0, 1);
};
await device.run(begin, { sizes: { S: 1 }, inputs: { slots: inputs.slots }, outputs: {} });
await run(1);
const open = performance.now() - began;
const peak = memory('VmHWM') - base;
const weights = statSync(file).size;
console.log(
  `opened, with a first token, in ${(open / 1000).toFixed(1)} s; peak ${mega(peak)} MB beyond the ${mega(base)} MB of the program and ` +
    `ONNX Runtime: ${(peak / weights).toFixed(2)} of the file`,
);

const part = Math.max(1, Math.floor(tokens / STEPS / 10));
for (let done = 0; done < tokens; done += part * STEPS) {
  const from = performance.now();
  for (let i = 0; i < part; i++) await run(STEPS);
  const each = (performance.now() - from) / (part * STEPS);
  console.log(`tokens to ${done + part * STEPS}: ${each.toFixed(3)} ms each, ${mega(memory('VmRSS'))} MB in memory`);
}
await device.close();

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
