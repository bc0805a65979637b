/** The process in which one model is measured: answers requests until its standard input ends. */
import { resourceUsage } from 'node:process';
import { createInterface } from 'node:readline';
import { ReceptanceError } from '@receptance/core';
import { openModel } from '../models/source.ts';
import { createTraining } from '../training/requests.ts';
import { backendEntry, kernelsOf } from './backends.ts';
import type { AnswerLine, RequestLine } from './protocol.ts';
import { createRunner, type Platform } from './runner.ts';
import { createStudies } from './studies.ts';

const platform: Platform = {
  backend: async (name, threads, kernels) => backendEntry(name).make(threads, await kernelsOf(kernels)),
  open: openModel,
  peakBytes: () => resourceUsage().maxRSS * 1024,
};
const handlers: Readonly<Record<string, (parameters: never) => Promise<unknown>>> = {
  ...createRunner(platform),
  ...createStudies(platform),
  ...createTraining(platform),
};

function errorOf(error: unknown): AnswerLine {
  if (!ReceptanceError.isInstance(error)) return { error: { message: String(error) } };
  const { code, message, hint } = error;
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

async function answer({ request, parameters }: RequestLine): Promise<AnswerLine> {
  const handler = Object.hasOwn(handlers, request) ? handlers[request] : undefined;
  if (handler === undefined) return { error: { message: `there is no request ${request}` } };
  return handler(parameters as never).then((value): AnswerLine => ({ answer: value }), errorOf);
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as RequestLine))}\n`);
}
process.exit();
