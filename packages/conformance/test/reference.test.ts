import { reference } from '@receptance/backend-reference';
import { conformance } from '../src/vitest.ts';

conformance(reference(), { require: ['*'] });
