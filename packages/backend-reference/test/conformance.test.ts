import { conformance } from '@receptance/conformance/vitest';
import { reference } from '../src/index.ts';

// Golden data are held against in the conformance package itself.
conformance(reference(), { require: ['*'] });
