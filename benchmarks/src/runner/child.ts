/** The process in which one model is measured: answers requests until its standard input ends. */
import { existsSync, readFileSync } from 'node:fs';
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
  peakBytes,
};
const handlers: Readonly<Record<string, (parameters: never) => Promise<unknown>>> = {
  ...createRunner(platform),
  ...createStudies(platform),
  ...createTraining(platform),
};

/** On Linux `maxRSS` begins with what the program had that started this one: a file that it read shows as ours. VmHWM is our own. */
function peakBytes(): number {
  const status = '/proc/self/status';
  const own = existsSync(status) ? /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1] : undefined;
  return (own === undefined ? resourceUsage().maxRSS : Number(own)) * 1024;
}

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
