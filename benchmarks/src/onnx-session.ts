/**
 * What opening a model on ONNX Runtime takes, and a session that reads a text beside it, and whether a token costs later what it did at first:
 * `node … onnx-session.ts FILE`.
 */
import { readFileSync, statSync } from 'node:fs';
import { onnx } from '@receptance/backend-onnx';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { type DeviceBuffer, detectModel, greedyGraph, logitsGraph, resetGraph } from '@receptance/core';

const [file, count = '10000'] = process.argv.slice(2);
if (file === undefined) throw new Error('give a checkpoint, and how many tokens to decode (default 10000)');
const tokens = Number(count);
const STEPS = 50;
const TEXT = 64;

/** In bytes: `VmHWM` is the most that the process ever had, `VmRSS` what it has; Linux tells both. */
function memory(field: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1] ?? Number.NaN) * 1024;
}

const weights = statSync(file).size;
const began = performance.now();
const checkpoint = await openCheckpointFile(file);
const model = detectModel(checkpoint.tensors);
const device = await onnx({ threads: 1 }).open();
// Of which ONNX Runtime itself, its thread and this program are a part: no model.
const base = memory('VmRSS');
const [greedy, reset, logits] = [greedyGraph(model), resetGraph(model), logitsGraph(model)];
const parameters = await device.loadParameters(checkpoint, [greedy, reset, logits], { limits: { Z: 1 } });
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
say('opened, with a first token,');
const text = Array.from({ length: TEXT }, (_, i) => i % model.vocabularySize);
const reading = await device.compile(logits, parameters, { N: TEXT, S: 1, R: 1 });
await device.run(reading, {
  sizes: { N: TEXT, S: 1, R: 0 },
  inputs: { ...inputs, tokens: integers(text), starts: integers([0, TEXT]) },
  outputs: { logits: device.alloc('f32', 0) },
});
await run(1);
say(`a text of ${TEXT} tokens read, and one more,`);

const part = Math.max(1, Math.floor(tokens / STEPS / 10));
for (let done = 0; done < tokens; done += part * STEPS) {
  const from = performance.now();
  for (let i = 0; i < part; i++) await run(STEPS);
  const each = (performance.now() - from) / (part * STEPS);
  console.log(`tokens to ${done + part * STEPS}: ${each.toFixed(3)} ms each, ${mega(memory('VmRSS'))} MB in memory`);
}
await device.close();

/** What has been done, how long it all took, and the most memory so far. */
function say(what: string): void {
  const peak = memory('VmHWM') - base;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${what} in ${seconds} s; peak ${mega(peak)} MB beyond the ${mega(base)} MB of the program and ONNX Runtime: ` +
      `${(peak / weights).toFixed(2)} of the file`,
  );
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
