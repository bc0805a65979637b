export { type Case, EXACT, type Expected, NO_WEIGHTS, type Numbers, opsOf, TOLERANCES } from './case.ts';
export { type Check, caseCheck } from './check.ts';
export { type ErrorFigures, errorFigures, type Tolerance, type Tolerances } from './compare.ts';
export type { GoldenFile } from './golden/files.ts';
export { Random } from './random.ts';
export { type RandomRwkv7Options, randomRwkv7 } from './random-rwkv7.ts';
export { type CaseResult, type RunOptions, runCase, type Status, type ToleranceOverrides } from './run-case.ts';
export { type Report, runSuite, type SuiteOptions, suiteChecks } from './suite.ts';
export { memorySource, type StoredTensor, store } from './weights.ts';
