/**
 * Writes docs/spec: a page per op from its file in core, and their index. `--check` writes nothing and fails when a page
 * is not what its op says today.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttrPort, OpDefinition, Port } from '../packages/core/src/ir/definition.ts';
import { ops } from '../packages/core/src/ops/index.ts';
import { root } from './workspace.ts';

const folder = join(root, 'docs/spec');
const definitions: readonly (readonly [string, OpDefinition])[] = Object.entries(ops);

const kinds = {
  primitive: 'Every backend must have it.',
  composite: 'A backend may claim it; where none does, it is decomposed into smaller ops.',
  leaf: 'Given from outside: no backend computes it.',
};

function shapeOf({ shape, dtype = 'f32' }: Port): string {
  const type = { f32: 'f32', i32: 'i32', any: 'f32 or i32', weight: 'any stored type' }[dtype];
  return shape === '*' ? type : `${type} [${shape.split(' ').join(', ')}]`;
}

function typeOf({ type }: AttrPort): string {
  return typeof type === 'string' ? type : type.map((name) => `\`${name}\``).join(', ');
}

function table(heading: string, columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return ['', `## ${heading}`, '', line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

function ports(record: Readonly<Record<string, Port>> = {}, note = ''): string[][] {
  return Object.entries(record).map(([name, port]) => [`\`${name}\``, shapeOf(port), `${port.doc}${note}`]);
}

function page(name: string, op: OpDefinition): string {
  const attrs = Object.entries(op.attrs ?? {}).map(([attr, port]) => [`\`${attr}\``, typeOf(port), port.doc]);
  const state = Object.entries(op.state ?? {}).map(([from, to]) => `\`${from}\` → \`${to}\``);
  const lines = [
    `# ${name}`,
    '',
    op.summary,
    '',
    `*${op.kind}*: ${kinds[op.kind]}`,
    '',
    '```text',
    op.formula,
    '```',
    ...(op.source === undefined ? [] : ['', `Source: ${op.source}.`]),
    ...table('Inputs', ['name', 'type', ''], [...ports(op.inputs), ...ports(op.optional, ' (optional)')]),
    ...table('Outputs', ['name', 'type', ''], ports(op.outputs)),
    ...table('Attributes', ['name', 'type', ''], attrs),
    ...(op.constraints === undefined
      ? []
      : ['', '## Constraints', '', ...op.constraints.map((rule, i) => `${i + 1}. ${rule}`)]),
    ...(state.length === 0
      ? []
      : [
          '',
          '## State',
          '',
          `${state.join(', ')}. With \`slots\` they are rows of a pool \`[Z, …]\`, updated in place.`,
        ]),
    ...(op.kind === 'leaf' ? [] : ['', '## Gradient', '', gradient(op)]),
    '',
    `<!-- Made from packages/core/src/ops/${name}.ts by \`npm run spec -- --write\`. -->`,
    '',
  ];
  return lines.join('\n');
}

function gradient(op: OpDefinition): string {
  if (op.vjp !== undefined) return 'Has a vector-Jacobian product.';
  return op.kind === 'composite' ? 'That of what it decomposes into.' : 'None: nothing flows back through it.';
}

function index(): string {
  const rows = definitions.map(([name, op]) => [`[${name}](${name}.md)`, op.kind, op.summary]);
  const intro = [
    '# Ops',
    '',
    'A page per op. `N` tokens in flight, `S` sequences, `R` rows whose logits are wanted, `C` channels, `H` heads of `D`',
    'channels, `V` vocabulary, `Z` slots of a state pool. A letter means the same size wherever it stands on a page.',
  ];
  return [...intro, ...table('All ops', ['op', 'kind', ''], rows), ''].join('\n');
}

const pages = new Map([
  ['README.md', index()],
  ...definitions.map(([name, op]) => [`${name}.md`, page(name, op)] as const),
]);

if (process.argv.includes('--check')) {
  const stale = [...pages].filter(([file, text]) => {
    const path = join(folder, file);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  });
  const left = readdirSync(folder).filter((file) => !pages.has(file));
  for (const file of [...stale.map(([name]) => name), ...left])
    console.log(`docs/spec/${file} is out of date: npm run spec`);
  if (stale.length + left.length > 0) process.exit(1);
  console.log(`spec: ${pages.size} pages as the ops say`);
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of pages) writeFileSync(join(folder, file), text);
  console.log(`spec: ${pages.size} pages written`);
}
