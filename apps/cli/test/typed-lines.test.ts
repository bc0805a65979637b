import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { TypedLines } from '../src/chat/typed-lines.ts';

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';
const UP = '\x1b[A';

/** A person at a terminal: types keys, and sees what is shown. */
function person() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const stop = new AbortController();
  const seen = { interrupts: 0, suspended: 0, raw: [] as boolean[], notes: [] as string[] };
  const lines = new TypedLines({
    ...{ input: Object.assign(input, { setRawMode: (raw: boolean) => seen.raw.push(raw) }), output },
    ...{ prompt: '> ', words: ['/save ', '/said', '/exit'], signal: stop.signal },
    onInterrupt: () => {
      seen.interrupts++;
    },
    note: (text) => seen.notes.push(text),
    suspend: () => {
      seen.suspended++;
    },
  });
  const type = async (keys: string): Promise<void> => {
    input.write(keys);
    await sleep(1);
  };
  /** What was written since it was last asked. */
  const shown = (): string => stripVTControlCharacters(String(output.read() ?? '')).replaceAll('\r', '');
  return { lines, type, shown, seen, stop, output };
}

test('a line is typed behind the prompt; lines before it come back', async () => {
  const { lines, type, shown } = person();
  const first = lines.next();
  expect(shown()).toBe('> ');
  await type('héllo 世界\r');
  expect(await first).toBe('héllo 世界');
  expect(shown()).toContain('héllo 世界');
  const second = lines.next();
  await type(`${UP}!\r`);
  expect(await second).toBe('héllo 世界!');
  lines.close();
});

test('what is typed during an answer is not shown in it, and is there afterwards', async () => {
  const { lines, type, shown } = person();
  const first = lines.next();
  await type('Hi\r');
  await first;
  shown();
  await type('next\rand aft');
  expect(shown()).toBe('');
  expect(await lines.next()).toBe('next');
  expect(shown()).toBe('> next\n');
  const third = lines.next();
  expect(shown()).toContain('> and aft');
  await type('er\r');
  expect(await third).toBe('and after');
  lines.close();
});

test('Ctrl-C during an answer interrupts it, and takes back what was typed ahead', async () => {
  const { lines, type, shown, seen } = person();
  const first = lines.next();
  await type('Hi\r');
  await first;
  await type(`next\rmore${CTRL_C}`);
  expect(seen.interrupts).toBe(1);
  shown();
  const second = lines.next();
  expect(shown()).toBe('> ');
  await type('ok\r');
  expect(await second).toBe('ok');
  lines.close();
});

test('Ctrl-C takes a line back; on an empty line it warns first', async () => {
  const { lines, type, shown, seen, stop } = person();
  const line = lines.next();
  await type(`abc${CTRL_C}`);
  expect(shown()).toMatch(/abc\^C\n> $/);
  await type(CTRL_C);
  expect(seen).toMatchObject({ interrupts: 0, notes: [expect.stringContaining('again leaves')] });
  await type('a line in between\r');
  expect(await line).toBe('a line in between');
  const last = lines.next();
  await type(CTRL_C);
  expect(seen.interrupts).toBe(0);
  await type(CTRL_C);
  expect(seen.interrupts).toBe(1);
  stop.abort();
  expect(await last).toBeUndefined();
  expect(await lines.next()).toBeUndefined();
});

test('Ctrl-D ends it, after the lines that were typed ahead', async () => {
  const { lines, type } = person();
  const first = lines.next();
  await type('Hi\r');
  await first;
  await type(`next\r${CTRL_D}`);
  expect(await lines.next()).toBe('next');
  expect(await lines.next()).toBeUndefined();
  await expect(lines.next()).resolves.toBeUndefined();
});

test('Tab completes what begins with a slash', async () => {
  const { lines, type } = person();
  const save = lines.next();
  for (const keys of ['/sav', '\t', 'file\r']) await type(keys);
  expect(await save).toBe('/save file');
  const other = lines.next();
  for (const keys of ['a', '\t', 'b\r']) await type(keys);
  expect(await other).toBe('ab');
  lines.close();
});

test('Ctrl-Z suspends, and the line is there when the shell goes on', async () => {
  const { lines, type, shown, seen } = person();
  const line = lines.next();
  await type(`abc${CTRL_Z}`);
  expect(seen).toMatchObject({ suspended: 1, raw: [true, false] });
  shown();
  process.emit('SIGCONT', 'SIGCONT');
  expect(seen.raw).toEqual([true, false, true]);
  expect(shown()).toContain('> abc');
  await type('d\r');
  expect(await line).toBe('abcd');
  lines.close();
});
