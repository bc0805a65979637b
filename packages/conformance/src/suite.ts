import { reference } from '@receptance/backend-reference';
import { type AbortSignalLike, type Backend, decompose, definitionOf } from '@receptance/core';
import type { Case } from './case.ts';
import { graphCases } from './cases/graphs.ts';
import { specs } from './cases/index.ts';
import { normsOfSums } from './cases/layerNorm.ts';
import { type Check, caseCheck } from './check.ts';
import { goldenChecks } from './golden/discover.ts';
import type { GoldenFile } from './golden/files.ts';
import { identityChecks } from './identities.ts';
import type { CaseResult, ToleranceOverrides } from './run-case.ts';
import { gradientCase, opCase } from './spec.ts';

export interface SuiteOptions {
  readonly tolerance?: ToleranceOverrides;
  readonly signal?: AbortSignalLike;
  /** Golden data from outside, as `goldenFiles` of the Node entry finds it. */
  readonly golden?: readonly GoldenFile[];
  /** Beginnings of the ids to run, in place of everything: `wkv7/`, `golden/`. */
  readonly only?: readonly string[];
  /** Called with each result as it comes, and how many checks there are in all. */
  readonly onResult?: (result: CaseResult, total: number) => void;
}

export interface Report {
  readonly backend: string;
  readonly adapter: string;
  readonly results: readonly CaseResult[];
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  readonly unknown: number;
}

/** Every case of every op, forward and gradient, and of how graphs are executed. */
export function opChecks(): Check[] {
  const forward = specs.map(opCase);
  const gradients = specs.map(gradientCase).filter((test) => test !== undefined);
  const opened = forward.filter(({ graph }) => graph.nodes.some(isComposite)).map(decomposed);
  return [...forward, ...opened, ...gradients, ...normsOfSums(), ...graphCases()].map(caseCheck);
}

function isComposite({ op }: { readonly op: string }): boolean {
  return definitionOf(op).kind === 'composite';
}

/** The same case in primitives, for a backend that keeps the composite whole. */
function decomposed(test: Case): Case {
  return { ...test, id: test.id.replace('/f32/', '/decomposed/'), graph: decompose(test.graph, () => false) };
}

/** All checks, in the order in which they run: from single ops to whole models. */
export async function suiteChecks(golden: readonly GoldenFile[] = []): Promise<Check[]> {
  return [...opChecks(), ...identityChecks(), ...(await goldenChecks(golden))];
}

/** Holds a backend to the whole suite. */
export async function runSuite(backend: Backend, options: SuiteOptions = {}): Promise<Report> {
  const { signal, tolerance, only, onResult } = options;
  const device = await backend.open(signal === undefined ? {} : { signal });
  const own = await reference().open();
  const results: CaseResult[] = [];
  try {
    const all = await suiteChecks(options.golden);
    const checks = all.filter(({ id }) => only?.some((start) => id.startsWith(start)) ?? true);
    for (const check of checks) {
      // A device may compute on this thread: an abort, and the page, must get in between two checks.
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      const result = await check.run(device, { reference: own, ...(tolerance === undefined ? {} : { tolerance }) });
      results.push(result);
      onResult?.(result, checks.length);
    }
  } finally {
    await device.close();
  }
  const count = (status: CaseResult['status']): number => results.filter((result) => result.status === status).length;
  return {
    ...{ backend: backend.name, adapter: device.info.adapter, results },
    ...{
      passed: count('passed'),
      failed: count('failed'),
      unsupported: count('unsupported'),
      unknown: count('unknown'),
    },
  };
}
