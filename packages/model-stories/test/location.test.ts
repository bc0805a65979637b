import { fileURLToPath } from 'node:url';
import { storiesModel } from '@receptance/model-stories';
import { expect, test } from 'vitest';

test('the checkpoint lies beside src and dist', () => {
  expect(fileURLToPath(new URL('.', storiesModel))).toBe(fileURLToPath(new URL('..', import.meta.url)));
});
