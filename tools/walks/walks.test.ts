/** The walks of docs/contributing, typed literally by somebody who has just cloned the repository. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../run.ts';
import { root } from '../workspace.ts';
import { commandsOf } from './commands.ts';

const clone = mkdtempSync(join(tmpdir(), 'receptance-clone-'));
const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs');

/** As the shell of a reader whose Node is that of the repository. */
async function typed(command: string): Promise<string> {
  const path = [join(clone, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  return await run('env', [`PATH=${path}`, 'bash', '-c', command], clone);
}

async function walk(document: string): Promise<string[]> {
  const printed: string[] = [];
  for (const command of commandsOf(readFileSync(join(clone, document), 'utf8'))) printed.push(await typed(command));
  return printed;
}

beforeAll(async () => {
  // What a clone would hold once this work is committed.
  const files = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], root);
  for (const file of files.split('\n').filter((name) => name !== '')) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file), { force: true });
  }
  await run(process.execPath, [pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], clone);
}, 600_000);

afterAll(() => rmSync(clone, { recursive: true, force: true }));

test('commands are the lines of blocks of shell', () => {
  expect(commandsOf('a\n```sh\nb c\n```\n1. x\n\n   ```sh\n   d\n   e\n   ```\n```text\nf\n```\n')).toEqual([
    'b c',
    'd',
    'e',
  ]);
});

test('a kernel, from scaffold to the suite to old and new side by side', { timeout: 900_000 }, async () => {
  const printed = await walk('docs/contributing/add-a-kernel.md');
  expect(printed).toHaveLength(5);
  const [begun, , , held, compared] = printed;
  expect(begun).toContain('made ');
  expect(held).toMatch(/Tests +\d+ passed/);
  expect(held).not.toContain('failed');
  for (const tokens of [1, 64]) {
    expect(compared).toMatch(new RegExp(`^wkv7 +${tokens} +\\d+ +reference .*% of (read|peak) +1\\.00 ×$`, 'm'));
    expect(compared).toMatch(new RegExp(`^wkv7 +${tokens} +\\d+ +contributed .*% of (read|peak) +\\d+\\.\\d+ ×$`, 'm'));
  }
});

test('a backend of one’s own passes the suite', { timeout: 900_000 }, async () => {
  const printed = await walk('docs/contributing/add-a-backend.md');
  expect(printed.at(-1)).toMatch(/Tests +\d+ passed/);
  expect(printed.at(-1)).not.toContain('failed');
});
