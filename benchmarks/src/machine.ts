import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Machine } from './report/report.ts';

/** What is known of this machine; the load afterwards is filled in at the end. */
export function machineCard(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${type()} ${release()} ${process.arch}`,
    engine: `Node ${process.version}`,
    loadBefore: currentLoad(),
    loadAfter: currentLoad(),
  };
}

export function currentLoad(): number {
  return Math.round(100 * (loadavg()[0] ?? 0)) / 100;
}
