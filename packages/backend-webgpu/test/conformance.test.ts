import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { webgpu } from '../src/index.ts';
import { shownOnGpu, TOLERANCE } from './golden.ts';

// Under guard: what a kernel reads past the end of its memory is not a number, and what it writes there is found.
conformance(webgpu({ guards: true }), {
  golden: shownOnGpu(await goldenFiles()),
  require: ['*'],
  tolerance: TOLERANCE,
});
