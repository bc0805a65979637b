import { conformance } from '@receptance/conformance/vitest';
import { expect, it } from 'vitest';
import { goldenInPage } from '../../conformance/test/support/golden-in-page.ts';
import { wasm } from '../src/index.ts';

conformance(wasm({ guards: true }), { golden: goldenInPage, require: ['*'] });

it('has one thread on a page that is not isolated', async () => {
  expect(crossOriginIsolated).toBe(false);
  const device = await wasm().open();
  expect(device.info.threads).toBe(1);
  await device.close();
});

it('says what a page needs for more', async () => {
  await expect(wasm({ threads: 2 }).open()).rejects.toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    hint: expect.stringContaining('Cross-Origin-Opener-Policy'),
  });
});
