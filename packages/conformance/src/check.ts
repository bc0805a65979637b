import type { Device } from '@receptance/core';
import { type Case, opsOf } from './case.ts';
import { type CaseResult, type RunOptions, runCase } from './run-case.ts';

/** Anything a device is held to: a case, or a comparison of several runs. */
export interface Check {
  readonly id: string;
  /** The ops it puts to the test. */
  readonly what: readonly string[];
  /** Never throws: what is thrown becomes the result. */
  run(device: Device, options: RunOptions): Promise<CaseResult>;
}

export function caseCheck(test: Case): Check {
  return { id: test.id, what: opsOf(test.graph), run: (device, options) => runCase(device, test, options) };
}

/** A check whose outcome is known without a device: data that no case can be made of. */
export function settledCheck(id: string, status: 'unsupported' | 'unknown', reason: string): Check {
  return { id, what: [], run: async () => ({ id, status, reason }) };
}
