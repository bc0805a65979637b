/** Begins a kernel: its files under the op's name, its entry in the table. `npm run new:kernel -- webgpu silu` */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { OpDefinition } from '../packages/core/src/ir/definition.ts';
import { definitionOf } from '../packages/core/src/ops/index.ts';
import { kernelText, type OpText, outsideFiles, TEMPLATES, withEntry, withoutAbsent } from './scaffold/kernel.ts';
import { root } from './workspace.ts';

const HELP = `Begins a kernel, with the op's formula and shapes in it.

  npm run new:kernel -- BACKEND OP                  in this repository, for an op that the backend lacks
  npm run new:kernel -- BACKEND OP --outside DIR    in a folder of your own, to be passed in: BACKEND({ kernels })

Backends: ${Object.keys(TEMPLATES).join(', ')}. Until it is written the kernel refuses every node, and what was used before still is.`;

function opText(name: string): OpText {
  const op: OpDefinition = definitionOf(name);
  const ports = (all: OpDefinition['inputs'] = {}, isOutput = false) =>
    Object.entries(all).map(([port, { shape, doc }]) => ({
      name: port,
      shape: shape.replaceAll(' ', ','),
      doc,
      isOutput,
    }));
  const { summary, formula, inputs, optional, outputs } = op;
  return { name, summary, formula, ports: [...ports(inputs), ...ports(optional), ...ports(outputs, true)] };
}

/** Files that are there are never written over. */
function write(files: Readonly<Record<string, string>>, folder: string): void {
  const there = Object.keys(files).filter((file) => existsSync(join(folder, file)));
  if (there.length > 0)
    throw new Error(
      `${there.map((file) => join(folder, file)).join(', ')} is there already; for a rival kernel use --outside DIR`,
    );
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`made ${path}`);
  }
}

function inside(backend: string, op: OpText): void {
  const folder = join(root, `packages/backend-${backend}`);
  const native = TEMPLATES[backend]?.native?.(op);
  write(
    {
      [`src/kernels/${op.name}.ts`]: kernelText(backend, op),
      ...(native === undefined ? {} : { [native.path]: native.text }),
    },
    folder,
  );
  const change = (file: string, edit: (text: string) => string): void => {
    const path = join(folder, file);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
    console.log(`changed ${path}`);
  };
  change('src/kernel-table.ts', (text) => withEntry(text, op.name));
  change('absent.json', (text) => withoutAbsent(text, op.name));
  if (backend === 'webgpu') console.log('then: npm run embed, in packages/backend-webgpu, whenever the shader changes');
  console.log(`hold it to its cases:  npx vitest run --project backend-${backend} -t "${op.name}/"`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { outside: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  const [backend = '', name = '', ...more] = positionals;
  if (values.help || name === '' || more.length > 0) console.log(HELP);
  else if (values.outside !== undefined) {
    write(outsideFiles(backend, opText(name)), resolve(values.outside));
    console.log(
      `measure it:  npm run bench -- --backend ${backend} --op ${name} --kernel ${join(values.outside, 'kernels.ts')}`,
    );
  } else inside(backend, opText(name));
} catch (error) {
  console.error(`error ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
