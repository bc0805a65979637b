import type { Node } from '../ir/types.ts';
import type { OpName } from '../ops/index.ts';
import type { DeviceInfo } from './contract.ts';

/** What every backend's kernels have in common; the rest is the backend's own. */
export interface Kernel {
  /** `true`, or why this kernel does not take this node. Left out: it takes every node of its op. */
  accepts?(node: Node, info: DeviceInfo): true | string;
}

/** Kernels by op, in order of preference: the first that accepts a node serves it. */
export type KernelTable<K extends Kernel> = { readonly [Op in OpName]?: readonly K[] };

/** The kernel that serves a node, or the reason why none does. */
export function selectKernel<K extends Kernel>(table: KernelTable<K>, node: Node, info: DeviceInfo): K | string {
  const kernels = Object.hasOwn(table, node.op) ? (table[node.op as OpName] ?? []) : [];
  const reasons: string[] = [];
  for (const kernel of kernels) {
    const verdict = kernel.accepts?.(node, info) ?? true;
    if (verdict === true) return kernel;
    reasons.push(verdict);
  }
  return reasons.length === 0 ? 'no kernel of that name' : reasons.join('; ');
}

/** Puts the kernels of `extra` before those of `table`: how a contributed kernel joins. */
export function extendKernels<K extends Kernel>(table: KernelTable<K>, extra: KernelTable<K> = {}): KernelTable<K> {
  const merged: { -readonly [Op in OpName]?: readonly K[] } = { ...table };
  for (const op of Object.keys(extra) as OpName[]) merged[op] = [...(extra[op] ?? []), ...(table[op] ?? [])];
  return merged;
}
