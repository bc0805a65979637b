import { conformance } from '@receptance/conformance/vitest';
import { expect, it } from 'vitest';
import { goldenInPage } from '../../conformance/test/support/golden-in-page.ts';
import { wasm } from '../src/index.ts';

conformance(wasm({ threads: 2, guards: true }), { golden: goldenInPage, require: ['*'] });

it('has as many threads as the processor, at most 8', async () => {
  expect(crossOriginIsolated).toBe(true);
  const device = await wasm().open();
  expect(device.info.threads).toBe(Math.min(navigator.hardwareConcurrency, 8));
  await device.close();
});
