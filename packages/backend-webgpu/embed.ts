/** Puts the text of every shader into `src/shaders.gen.ts`, since a browser has no files. Run it when a .wgsl changes. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = import.meta.dirname;
const target = join(folder, 'src/shaders.gen.ts');

/** What `src/shaders.gen.ts` should hold. */
export function embedShaders(): string {
  const files = globSync(['src/*.wgsl', 'src/kernels/*.wgsl'], { cwd: folder }).sort();
  const names = files.map((file) => basename(file, '.wgsl'));
  const entries = files.map((file, i) => {
    const code = readFileSync(join(folder, file), 'utf8').replaceAll(/[`\\$]/g, '\\$&');
    return `  ${names[i]}: \`${code}\`,`;
  });
  return [
    '// Made from the .wgsl files by embed.ts.',
    '',
    `export type ShaderName =\n${names.map((name) => `  | '${name}'`).join('\n')};`,
    '',
    `export const WGSL: Readonly<Record<ShaderName, string>> = {\n${entries.join('\n')}\n};`,
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(target, embedShaders());
