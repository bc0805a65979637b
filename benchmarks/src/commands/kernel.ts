import { resolve } from 'node:path';
import type { Surroundings } from '../measure/plan.ts';
import { type BenchValues, badOption, plansOf } from '../options.ts';
import { comparisonLines } from '../report/op-table.ts';
import type { OpComparison } from '../report/report.ts';
import { RooflineProbe } from '../roofline/roofline.ts';
import type { Job } from '../runner/protocol.ts';
import { startOwnRunner } from '../runner/spawn.ts';

/** A model with every op at a size that matters, unless another is chosen. */
const MODEL = '0.1b';

/** Prints what an op takes with a backend's own kernel and with a contributed one: decoding, and reading a prompt. */
export async function compareKernels(op: string, values: BenchValues, surroundings: Surroundings): Promise<void> {
  const { kernel } = values;
  if (kernel === undefined)
    throw badOption(`--op ${op} is given without --kernel`, 'name a module that exports kernels');
  const [plan] = plansOf({ ...values, quick: false, model: values.model ?? MODEL, threads: values.threads ?? '1' });
  const { seed, status } = surroundings;
  for (const backend of plan?.backends ?? []) {
    for (const threads of plan?.threads ?? []) {
      const probe = new RooflineProbe(threads);
      const runner = startOwnRunner();
      try {
        await probe.ready();
        await probe.probe([threads]);
        const weights = plan?.weights[0];
        const job: Job = { model: plan?.models[0] ?? MODEL, weights, seed, backend, threads, maxSequences: 1 };
        const comparisons: OpComparison[] = [];
        for (const tokens of [1, ...(plan?.prompts ?? [])]) {
          status(`${op} of ${job.model} on ${backend}, ${tokens} tokens`);
          comparisons.push(await runner.ask('compareOp', { job, op, tokens, kernels: resolve(kernel) }));
        }
        await probe.probe([threads]);
        status('');
        console.log(`${op} of ${job.model}, ${backend}, threads: ${threads}`);
        console.log(comparisonLines(comparisons, { program: backend, threads }, probe.results));
      } finally {
        await runner.close();
        await probe.close();
      }
    }
  }
}
