import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { guard } from './support/guards.ts';

guard(reference(), 'reference');
guard(wasm(), 'wasm');
