import { conformance } from '@receptance/conformance/vitest';
import { webgpu } from '../src/index.ts';

conformance(webgpu());
