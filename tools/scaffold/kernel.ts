/** The files of a kernel that is yet to be written: it refuses every node, so that nothing breaks until it is. */

export interface OpText {
  readonly name: string;
  readonly summary: string;
  readonly formula: string;
  /** Name, shape and what it is, of inputs and outputs. */
  readonly ports: readonly {
    readonly name: string;
    readonly shape: string;
    readonly doc: string;
    readonly isOutput: boolean;
  }[];
}

interface BackendTemplate {
  /** Where the type of a kernel comes from, inside the package. */
  readonly types: string;
  /** The method that a kernel is. */
  readonly method: string;
  /** What the method makes. */
  readonly makes: string;
  /** The file of native code beside it. */
  native?(op: OpText): { readonly path: string; readonly text: string };
}

export const TEMPLATES: Readonly<Record<string, BackendTemplate>> = {
  reference: { types: '../tensor.ts', method: 'run', makes: 'reads x, fills y: run(x, y, attrs)' },
  wasm: {
    types: '../kernel.ts',
    method: 'encode',
    makes: 'turns the node into instructions of the crate: encode({ inputs, outputs, attrs }, e)',
    native: (op) => ({
      path: `crate/src/kernels/${snakeCase(op.name)}.rs`,
      text: [`//! ${op.summary}`, ...commented('//!', op), ''].join('\n'),
    }),
  },
  webgpu: {
    types: '../kernel.ts',
    method: 'lower',
    makes: 'gives the programs (dispatches) of the node: lower(inputs, outputs, attrs, context)',
    native: (op) => ({ path: `src/kernels/${op.name}.wgsl`, text: wgslText(op) }),
  },
  onnx: {
    types: '../kernel.ts',
    method: 'lower',
    makes: 'gives the names of the ONNX values: lower(inputs, outputs, attrs, o)',
  },
};

export function kernelText(backend: string, op: OpText, types?: string): string {
  const { types: own, method, makes } = templateOf(backend);
  return [
    `import type { KernelOf } from '${types ?? own}';`,
    '',
    '/**',
    ` * ${op.summary}`,
    ...commented(' *', op),
    ' */',
    `export const ${op.name}: KernelOf<'${op.name}'> = {`,
    '  // Which nodes it takes: `true`, or the reason why not, by shapes, dtypes and attributes. Leave it out to take all.',
    `  accepts: () => '${op.name} is not written yet',`,
    `  // ${makes}`,
    `  ${method}() {`,
    `    throw new Error('${op.name} is not written yet');`,
    '  },',
    '};',
    '',
  ].join('\n');
}

/** The kernel table with the op in it, where names stand in order. */
export function withEntry(table: string, op: string): string {
  const importLine = `import { ${op} } from './kernels/${op}.ts';`;
  if (table.includes(importLine)) return table;
  const imports = [...table.matchAll(/^import \{ (\w+) \} from '\.\/kernels\/.*$/gm)];
  const entries = [...table.matchAll(/^ {2}(\w+): \[.*\],$/gm)];
  const withImport = insertInOrder(table, imports, op, importLine);
  const moved = withImport.length - table.length;
  const first = imports[0]?.index ?? 0;
  const shifted = entries.map((entry) =>
    Object.assign([...entry], { index: (entry.index ?? 0) + (entry.index >= first ? moved : 0) }),
  );
  return insertInOrder(withImport, shifted, op, `  ${op}: [${op}],`);
}

function insertInOrder(
  text: string,
  lines: readonly { readonly 0?: string | undefined; readonly 1?: string | undefined; readonly index: number }[],
  name: string,
  line: string,
): string {
  const next = lines.find(({ 1: other = '' }) => other > name);
  const last = lines.at(-1);
  const at = next?.index ?? (last === undefined ? text.length : last.index + (last[0]?.length ?? 0) + 1);
  return `${text.slice(0, at)}${line}\n${text.slice(at)}`;
}

/** The list of absent ops without this one. */
export function withoutAbsent(absent: string, op: string): string {
  const list = Object.entries(JSON.parse(absent) as Record<string, string>).filter(([name]) => name !== op);
  return `${JSON.stringify(Object.fromEntries(list), null, 2)}\n`;
}

/** The files of a package outside this repository whose kernel is passed in: `<backend>({ kernels })`. */
export function outsideFiles(backend: string, op: OpText): Readonly<Record<string, string>> {
  const { native } = templateOf(backend);
  const shader = backend === 'webgpu' ? native?.(op) : undefined;
  return {
    [`${op.name}.ts`]: kernelText(backend, op, `@receptance/backend-${backend}`),
    ...(shader === undefined ? {} : { [`${op.name}.wgsl`]: shader.text }),
    'kernels.ts': [
      `import { ${op.name} } from './${op.name}.ts';`,
      '',
      '/** What `--kernel` of the benchmarks and the `kernels` option of the backend take. */',
      `export const kernels = { ${op.name}: [${op.name}] };`,
      '',
    ].join('\n'),
    [`${op.name}.test.ts`]: [
      `import { ${backend} } from '@receptance/backend-${backend}';`,
      "import { conformance } from '@receptance/conformance/vitest';",
      "import { kernels } from './kernels.ts';",
      '',
      `conformance(${backend}({ kernels }), { only: ['${op.name}/'], require: ['${op.name}/'] });`,
      '',
    ].join('\n'),
  };
}

function templateOf(backend: string): BackendTemplate {
  const template = Object.hasOwn(TEMPLATES, backend) ? TEMPLATES[backend] : undefined;
  if (template === undefined)
    throw new Error(`there is no backend ${backend}; backends are ${Object.keys(TEMPLATES).join(', ')}`);
  return template;
}

function commented(mark: string, { formula, ports }: OpText): string[] {
  return [
    `${mark}`,
    ...formula.split('\n').map((line) => `${mark}     ${line}`),
    `${mark}`,
    ...ports.map(({ name, shape, doc, isOutput }) => `${mark} ${isOutput ? '→ ' : ''}${name} [${shape}]: ${doc}`),
  ];
}

function wgslText(op: OpText): string {
  const bindings = op.ports.map(
    ({ name, shape, doc, isOutput }, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${isOutput ? 'read_write' : 'read'}> ${name}: array<f32>; // [${shape}] ${doc}`,
  );
  return [
    `// ${op.formula.split('\n').join('; ')}`,
    '',
    'struct Params {',
    '  count: u32,',
    '}',
    '',
    '@group(0) @binding(0) var<uniform> params: Params;',
    ...bindings,
    '',
    '@compute @workgroup_size(64)',
    'fn main(@builtin(global_invocation_id) id: vec3u) {',
    '  if id.x >= params.count {',
    '    return;',
    '  }',
    '}',
    '',
  ].join('\n');
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
