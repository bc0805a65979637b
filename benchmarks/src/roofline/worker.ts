/** One thread of the roofline: probes when told to, all threads beginning at the same moment. */
import { parentPort, workerData } from 'node:worker_threads';
import { FLOPS_PER_ROUND, openProbe } from './probe.ts';
import { PROBE_BYTES, type ProbeOrder, type ProbeResult } from './roofline.ts';

const gate = new Int32Array(workerData as SharedArrayBuffer);
const probe = await openProbe(PROBE_BYTES);
const ROUNDS = 100_000;

function rate(milliseconds: number, unit: number, work: () => void): number {
  let done = 0;
  const began = performance.now();
  let spent = 0;
  do {
    work();
    done += unit;
    spent = performance.now() - began;
  } while (spent < milliseconds);
  return (1000 * done) / spent;
}

parentPort?.on('message', ({ milliseconds, turn }: ProbeOrder) => {
  Atomics.wait(gate, 0, turn);
  const bytesPerSecond = rate(milliseconds, PROBE_BYTES, () => probe.read(PROBE_BYTES));
  const flopsPerSecond = rate(milliseconds, FLOPS_PER_ROUND * ROUNDS, () => probe.multiplyAdd(ROUNDS));
  parentPort?.postMessage({ bytesPerSecond, flopsPerSecond } satisfies ProbeResult);
});
parentPort?.postMessage(probe.fused);
