/** Makes `src/self-test.gen.ts`: what the f64 reference makes of the self-test. Run it when the test changes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@receptance/backend-reference';
import { runSelfTest } from './src/self-test.ts';

const target = join(import.meta.dirname, 'src/self-test.gen.ts');

/** What the file should hold. */
export async function expectedText(): Promise<string> {
  const device = await reference().open();
  const { logits, next } = await runSelfTest(device);
  await device.close();
  return [
    '// Made by expect.ts from the reference backend.',
    '',
    'export const EXPECTED: { readonly logits: readonly number[]; readonly next: readonly number[] } = {',
    `  logits: [\n${[...logits].map((x) => `    ${Number(x.toFixed(7))},`).join('\n')}\n  ],`,
    `  next: [${[...next].join(', ')}],`,
    '};',
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(target, await expectedText());
