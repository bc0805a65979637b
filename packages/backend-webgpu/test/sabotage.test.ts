import { readdirSync, readFileSync } from 'node:fs';
import { reference } from '@receptance/backend-reference';
import { type Check, suiteChecks } from '@receptance/conformance';
import type { Device, KernelTable, OpName } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebGpuKernel } from '../src/kernel.ts';
import { kernels } from '../src/kernel-table.ts';
import { type ShaderName, WGSL } from '../src/shaders.gen.ts';
import { withoutTest } from './support.ts';

/** One line of one shader, spoilt. */
interface Mutant {
  readonly file: ShaderName;
  readonly line: number;
  readonly how: string;
  readonly text: string;
}

const SPOILERS: readonly (readonly [how: string, spoil: (line: string) => string | undefined])[] = [
  // What is stored in an array, of the workgroup or in memory, is not.
  ['not stored', (line) => (/^\s*\w+\[.*\] = .*;$/.test(line) ? '' : undefined)],
  ['subtracted', (line) => replaced(line, ' += ', ' -= ')],
  ['added', (line) => replaced(line, ' *= ', ' += ')],
];

function replaced(line: string, from: string, to: string): string | undefined {
  return line.includes(from) && !line.includes('for (') ? line.replace(from, to) : undefined;
}

/** Lines that no case of the suite can tell from others, and who does. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  'crossEntropy: sum += exp_safe(logits[base + v] - best);':
    'SwiftShader takes log(−x) for log(x); the gradient, which divides, notices',
  'linear: sum += y[i];': 'of a weight in parts: weights.test.ts, in small bindings',
};

function mutantsOf(file: ShaderName): Mutant[] {
  const lines = WGSL[file].split('\n');
  return lines.flatMap((line, i) =>
    SPOILERS.flatMap(([how, spoil]): Mutant[] => {
      const spoilt = Object.hasOwn(SHOWN_ELSEWHERE, `${file}: ${line.trim()}`) ? undefined : spoil(line);
      return spoilt === undefined ? [] : [{ file, line: i + 1, how, text: lines.with(i, spoilt).join('\n') }];
    }),
  );
}

/** Texts that are put before shaders, and one that no op case dispatches: it turns a matrix that two graphs read both ways. */
const NO_CASES_OF_THEIR_OWN: readonly ShaderName[] = ['_finish', '_weights', '_sampling', '_turn'];

/** With `SABOTAGE=all` every line of every shader is spoilt, which takes minutes; else a few of each. */
const EVERY_LINE = process.env['SABOTAGE'] === 'all';
/** Of each pipeline of a shader so many cases are asked, those that dispatch least first. */
const CASES = 16;

/** Cases that are asked first: in them lines count that do not in smaller ones. */
const FIRST_CASES = ['sample/f32/top-p in the fifth digit', 'sample/f32/equal ones far apart'];

const isFirst = (section: string): boolean => FIRST_CASES.some((id) => section.startsWith(`${id}\n`));

/** Ids of cases that dispatch a shader, as recorded in `programs`. */
function casesOf(file: ShaderName): string[] {
  const folder = new URL('programs/', import.meta.url);
  const dispatch = `${file}(`;
  const asked = new Map<string, number>();
  return readdirSync(folder)
    .flatMap((name) => readFileSync(new URL(name, folder), 'utf8').split(/^# /m))
    .sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)) || a.length - b.length)
    .filter((section) => {
      const lines = section.split('\n').map((line) => line.trim());
      const pipelines = new Set(lines.filter((line) => line.startsWith(dispatch)).map((line) => line.split(' · ')[0]));
      const isAsked = [...pipelines].some((key = '') => (asked.get(key) ?? 0) < CASES);
      for (const key of isAsked ? pipelines : []) asked.set(key ?? '', (asked.get(key ?? '') ?? 0) + 1);
      return isAsked;
    })
    .map((section) => section.slice(0, section.indexOf('\n')));
}

describe('whatever line of a kernel is spoilt, a case of the suite notices', () => {
  let spoilt: Mutant | undefined;
  let device: Device;
  let own: Device;
  let checks: ReadonlyMap<string, Check>;

  beforeAll(async () => {
    const table: Partial<Record<OpName, readonly WebGpuKernel[]>> = {};
    for (const op of Object.keys(kernels) as OpName[]) {
      table[op] = (kernels[op] ?? []).map((kernel) => ({
        ...kernel,
        lower: (...args) =>
          kernel.lower(...args).map((program) => {
            if (spoilt === undefined) return program;
            const { name, code } = program.shader;
            return { ...program, shader: { name, code: code.replace(WGSL[spoilt.file], () => spoilt?.text ?? '') } };
          }),
      }));
    }
    [device, own] = [
      await withoutTest({ kernels: table as KernelTable<WebGpuKernel> }).open(),
      await reference().open(),
    ];
    checks = new Map((await suiteChecks()).map((check) => [check.id, check]));
  });
  afterAll(async () => {
    await device.close();
    await own.close();
  });

  async function isNoticed(mutant: Mutant | undefined, relevant: readonly Check[]): Promise<boolean> {
    spoilt = mutant;
    for (const check of relevant) {
      if ((await check.run(device, { reference: own })).status === 'failed') return true;
    }
    return false;
  }

  const files = (Object.keys(WGSL) as ShaderName[]).filter((file) => mutantsOf(file).length > 0);
  it.each(files.filter((file) => casesOf(file).length > 0))('%s', async (file) => {
    const relevant = casesOf(file).flatMap((id) => checks.get(id) ?? []);
    const survivors: string[] = [];
    const mutants = mutantsOf(file);
    const few = [0, mutants.length - 1];
    for (const mutant of EVERY_LINE ? mutants : new Set(few.flatMap((i) => mutants[i] ?? []))) {
      if (await isNoticed(mutant, relevant)) continue;
      survivors.push(`${file}.wgsl:${mutant.line} ${mutant.how}: ${WGSL[file].split('\n')[mutant.line - 1]?.trim()}`);
    }
    expect(survivors).toEqual([]);
  });

  it('every kernel of an op is among them', () => {
    const none = (Object.keys(WGSL) as ShaderName[]).filter((file) => {
      const isKernel = readdirSync(new URL('../src/kernels/', import.meta.url)).includes(`${file}.wgsl`);
      if (!isKernel || NO_CASES_OF_THEIR_OWN.includes(file)) return false;
      return mutantsOf(file).length === 0 || casesOf(file).length === 0;
    });
    expect(none).toEqual([]);
  });
});
