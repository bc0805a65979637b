import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { webgpu } from '../src/index.ts';
import { shownOnGpu, TOLERANCE } from './golden.ts';

conformance(webgpu(), { golden: shownOnGpu(await goldenFiles()), require: ['*'], tolerance: TOLERANCE });
