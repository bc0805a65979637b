import { wkv7 } from './wkv7.ts';

/** What `--kernel` of the benchmarks and the `kernels` option of the backend take. */
export const kernels = { wkv7: [wkv7] };
