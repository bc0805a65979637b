export { type Case, EXACT, type Expected, NO_WEIGHTS, type Numbers, opsOf, TOLERANCES } from './case.ts';
export { type ErrorFigures, errorFigures, type Tolerance, type Tolerances } from './compare.ts';
export { Random } from './random.ts';
export { type CaseResult, type RunOptions, runCase, type Status, type ToleranceOverrides } from './run-case.ts';
export { type Check, caseCheck, type Report, runSuite, type SuiteOptions, suiteChecks } from './suite.ts';
export { memorySource, type StoredTensor, store } from './weights.ts';
