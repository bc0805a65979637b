import { conformance } from '@receptance/conformance/vitest';
import { goldenInPage } from '../../conformance/test/support/golden-in-page.ts';
import { webgpu } from '../src/index.ts';
import { shownOnGpu, TOLERANCE } from './golden.ts';

conformance(webgpu(), { golden: shownOnGpu(goldenInPage), require: ['*'], tolerance: TOLERANCE });
