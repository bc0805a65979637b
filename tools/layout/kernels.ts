/** Every op has a kernel of its name in each backend, or is listed there as absent with a reason; and nothing else is there. */
import type { Problem } from './problem.ts';

export type OpKinds = Readonly<Record<string, 'leaf' | 'primitive' | 'composite'>>;

export interface BackendLayout {
  /** The backend's folder from the root of the repository. */
  readonly folder: string;
  /** Paths under that folder, with forward slashes. */
  readonly files: readonly string[];
  /** `absent.json`: op to the reason why this backend has no kernel for it. */
  readonly absent: Readonly<Record<string, string>>;
  /** `shared.json`: a .wgsl or .rs file that serves several ops to those ops. */
  readonly shared: Readonly<Record<string, readonly string[]>>;
}

const kernelFolder = 'src/kernels';
const nativeFolders = [
  { folder: kernelFolder, ending: '.wgsl' },
  { folder: 'crate/src/kernels', ending: '.rs' },
];

/** Names of the files directly in a folder, without their ending. Those that begin with an underscore are helpers. */
function stems(files: readonly string[], folder: string, ending: string): string[] {
  return files
    .filter((file) => file.startsWith(`${folder}/`) && file.endsWith(ending) && !file.endsWith(`.gen${ending}`))
    .map((file) => file.slice(folder.length + 1, -ending.length))
    .filter((stem) => !stem.includes('/') && !stem.startsWith('_') && stem !== 'index' && stem !== 'mod');
}

/** Rust names its modules in snake case: `layer_norm.rs` is the op layerNorm. */
function asOpName(stem: string): string {
  return stem.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** One file per op in core, and one op per file. */
export function checkOpFiles(ops: OpKinds, files: readonly string[]): Problem[] {
  const folder = 'packages/core/src/ops';
  const named = stems(files, folder, '.ts');
  const lost = Object.keys(ops)
    .filter((op) => !named.includes(op))
    .map((op) => ({
      path: `${folder}/${op}.ts`,
      message: `op ${op} has no file of its name`,
      hint: 'one file per op',
    }));
  const strays = named
    .filter((stem) => ops[stem] === undefined)
    .map((stem) => ({
      path: `${folder}/${stem}.ts`,
      message: 'is not an op of the registry',
      hint: `add ${stem} to ops/index.ts, or move a helper out of ops/ (or begin its name with an underscore)`,
    }));
  return [...lost, ...strays];
}

export function checkBackend(ops: OpKinds, { folder, files, absent, shared }: BackendLayout): Problem[] {
  const kernels = stems(files, kernelFolder, '.ts');
  const problems: Problem[] = [];
  const report = (path: string, message: string, hint: string) =>
    problems.push({ path: `${folder}/${path}`, message, hint });

  for (const [op, kind] of Object.entries(ops)) {
    const [isThere, isAbsent] = [kernels.includes(op), absent[op] !== undefined];
    if (kind === 'primitive' && !isThere && !isAbsent)
      report(
        `${kernelFolder}/${op}.ts`,
        `no kernel for ${op}`,
        `write it, or give the reason in ${folder}/absent.json`,
      );
    if (isThere && isAbsent)
      report('absent.json', `${op} is listed as absent but has a kernel`, 'remove it from the list');
    if (isThere && kind === 'leaf') report(`${kernelFolder}/${op}.ts`, `${op} is a leaf`, 'a leaf needs no kernel');
  }
  for (const [op, reason] of Object.entries(absent)) {
    if (ops[op] === undefined) report('absent.json', `${op} is not an op`, 'remove it from the list');
    else if (reason.trim() === '') report('absent.json', `${op} has no reason`, 'say why there is no kernel');
  }
  for (const stem of kernels)
    if (ops[stem] === undefined) report(`${kernelFolder}/${stem}.ts`, 'names no op', 'a kernel is called as its op');
  for (const { folder: native, ending } of nativeFolders)
    for (const stem of stems(files, native, ending)) {
      const users = shared[`${stem}${ending}`];
      if (users === undefined && !kernels.includes(stem) && !kernels.includes(asOpName(stem)))
        report(
          `${native}/${stem}${ending}`,
          `has no ${kernelFolder}/${asOpName(stem)}.ts`,
          'or list whom it serves in shared.json',
        );
    }
  for (const [file, users] of Object.entries(shared)) {
    if (!nativeFolders.some(({ folder: native }) => files.includes(`${native}/${file}`)))
      report('shared.json', `${file} does not exist`, 'remove it from the list');
    for (const op of users)
      if (!kernels.includes(op))
        report('shared.json', `${file} serves ${op}, which has no kernel file`, 'remove the op');
  }
  return problems;
}
