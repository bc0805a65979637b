import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kernelText, type OpText, outsideFiles, TEMPLATES, withEntry, withoutAbsent } from '../scaffold/kernel.ts';
import { root } from '../workspace.ts';

const zeta7: OpText = {
  name: 'zeta7',
  summary: 'Nothing yet.',
  formula: 'y = x',
  ports: [
    { name: 'x', shape: 'N,C', doc: 'rows', isOutput: false },
    { name: 'y', shape: 'N,C', doc: 'rows', isOutput: true },
  ],
};

const namesIn = (table: string): string[] => [...table.matchAll(/^ {2}(\w+): \[/gm)].map(([, name = '']) => name);
const importsIn = (table: string): string[] =>
  [...table.matchAll(/^import \{ (\w+) \} from '\.\/kernels\//gm)].map(([, name = '']) => name);

test.each(Object.keys(TEMPLATES))('a kernel of %s joins the table in order, once', (backend) => {
  const table = readFileSync(join(root, `packages/backend-${backend}/src/kernel-table.ts`), 'utf8');
  for (const op of ['aaa', 'matmulX', 'zeta7']) {
    const changed = withEntry(table, op);
    expect(namesIn(changed).toSorted()).toEqual([...namesIn(table), op].toSorted());
    expect(importsIn(changed)).toEqual([...importsIn(table), op].toSorted());
    expect(changed.length).toBe(
      table.length + `import { ${op} } from './kernels/${op}.ts';\n  ${op}: [${op}],\n`.length,
    );
    expect(withEntry(changed, op)).toBe(changed);
  }
});

test.each(Object.keys(TEMPLATES))('a kernel of %s refuses all nodes until it is written', (backend) => {
  expect(kernelText(backend, zeta7)).toContain("accepts: () => 'zeta7 is not written yet'");
  const files = outsideFiles(backend, zeta7);
  expect(files['zeta7.ts']).toContain(`from '@receptance/backend-${backend}'`);
  expect(files['zeta7.test.ts']).toContain('conformance(');
  expect(Object.keys(files).includes('zeta7.wgsl')).toBe(backend === 'webgpu');
});

test('an op that is there is not absent', () => {
  expect(withoutAbsent('{ "a": "x", "zeta7": "y" }', 'zeta7')).toBe('{\n  "a": "x"\n}\n');
});

test('a backend that is not there is named', () => {
  expect(() => kernelText('cuda', zeta7)).toThrow(/no backend cuda; backends are reference/);
});
