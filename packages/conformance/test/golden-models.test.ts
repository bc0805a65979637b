import { reference } from '@receptance/backend-reference';
import { goldenFiles } from '../src/node.ts';
import { conformance } from '../src/vitest.ts';

conformance(reference(), { golden: await goldenFiles(), only: ['golden/'], require: ['golden/op/'] });
