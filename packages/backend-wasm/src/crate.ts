/** The exports that tell the scratch of instructions, each from sizes of its own. */
export const SCRATCH = {
  linear: 'linear_scratch',
  linearSparse: 'linear_sparse_scratch',
  fused: 'fused_scratch',
  groupNormGrad: 'group_norm_grad_scratch',
  matrices: 'matrices_scratch',
  wkv4Grad: 'wkv4_grad_scratch',
  wkv7: 'wkv7_scratch',
  wkv7Grad: 'wkv7_grad_scratch',
} as const;

export type ScratchName = keyof typeof SCRATCH;

/** What the crate exports. All numbers are addresses or counts; the memory must not move on meanwhile. */
export interface Crate {
  /** Runs a program as the only thread. Arguments are addresses of tables of words. */
  run(code: number, registers: number, plan: number): void;
  /** The f32 of scratch that an instruction needs for all threads, from sizes of its operands. */
  scratch(of: ScratchName, threads: number, ...sizes: readonly number[]): number;
  /** The first address that the module does not use itself. */
  readonly base: number;
}
