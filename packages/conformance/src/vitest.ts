import { reference } from '@receptance/backend-reference';
import type { Backend, Device } from '@receptance/core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectationOf } from './expectation.ts';
import type { GoldenFile } from './golden/files.ts';
import type { CaseResult, ToleranceOverrides } from './run-case.ts';
import { suiteChecks } from './suite.ts';

export interface ConformanceOptions {
  /** Golden data from outside, as `goldenFiles` of the Node entry finds it. */
  readonly golden?: readonly GoldenFile[];
  /** Beginnings of the ids to run, in place of everything. */
  readonly only?: readonly string[];
  /**
   * What must not be unsupported: op names, beginnings of ids, or `*` for everything. Anything else that is
   * unsupported is a visible skip with the backend's own reason.
   */
  readonly require?: readonly string[];
  /** Ids that fail, and why. One that passes fails the suite, and so does an id that no case has. */
  readonly knownFailures?: Readonly<Record<string, string>>;
  /** In place of the cases' own tolerances, by beginnings of `<id>/<output>`. */
  readonly tolerance?: ToleranceOverrides;
}

declare module 'vitest' {
  interface TaskMeta {
    /** What became of a check: vitest's JSON reporter writes it. */
    conformance?: CaseResult & { readonly backend: string };
  }
}

/** Registers one test a check: a backend's whole test file is a call of this. */
export function conformance(backend: Backend, options: ConformanceOptions = {}): void {
  describe(`conformance of ${backend.name}`, async () => {
    const { knownFailures = {}, tolerance, only } = options;
    const all = await suiteChecks(options.golden);
    const checks = all.filter(({ id }) => only?.some((start) => id.startsWith(start)) ?? true);
    let device: Device;
    let own: Device;
    beforeAll(async () => {
      [device, own] = [await backend.open(), await reference().open()];
    });
    afterAll(async () => {
      await device?.close();
    });

    for (const check of checks) {
      it(check.id, async (context) => {
        const result = await check.run(device, { reference: own, ...(tolerance === undefined ? {} : { tolerance }) });
        context.task.meta.conformance = { backend: backend.name, ...result };
        const known = Object.hasOwn(knownFailures, check.id) ? knownFailures[check.id] : undefined;
        const expected = expectationOf(check, result, options.require ?? [], known);
        if (expected.kind === 'skip') context.skip(expected.reason);
        if (expected.kind === 'fail') throw new Error(expected.reason);
      });
    }

    const ids = new Set(all.map(({ id }) => id));
    for (const id of Object.keys(knownFailures).filter((known) => !ids.has(known))) {
      it(id, () => {
        throw new Error(`${id} is among the known failures, but no case is called so`);
      });
    }
  });
}
