import { readFile } from 'node:fs/promises';
import { decodingInOneRun } from './decoding.ts';
import { withoutTest } from './support.ts';

const models = new URL('../../conformance/golden/models/', import.meta.url);

decodingInOneRun(withoutTest(), (file) => readFile(new URL(file, models)));
