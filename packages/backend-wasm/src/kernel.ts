import type { Kernel, Node, OpName, Signature, SignatureOf, Value } from '@receptance/core';
import { type Axis, broadcastAxes, MAX_RANK } from './axes.ts';
import type { Encoder } from './encoder.ts';

type InputsOf<S extends Signature> = string extends S['inputs']
  ? Readonly<Record<string, Value | undefined>>
  : { readonly [Name in S['inputs']]: Value } & { readonly [Name in S['optional']]?: Value | undefined };

/** A node whose op is known. */
export interface NodeOf<S extends Signature> {
  readonly inputs: InputsOf<S>;
  readonly outputs: { readonly [Name in S['outputs']]: Value };
  readonly attrs: S['attrs'];
}

/** How an op becomes instructions of the crate. */
export interface WasmKernel<S extends Signature = Signature> extends Kernel {
  encode(node: NodeOf<S>, e: Encoder): void;
}

export type KernelOf<Op extends OpName> = WasmKernel<SignatureOf<Op>>;

/** Whether kernels can walk over axes; a kernel's `accepts` asks. */
export function acceptsAxes(...spaces: readonly (readonly Axis[])[]): true | string {
  const rank = Math.max(...spaces.map((axes) => axes.length));
  return rank <= MAX_RANK || `${rank} axes that cannot be joined; ${MAX_RANK} at most`;
}

/** The same for an op whose inputs broadcast to its output. */
export function acceptsBroadcast({ inputs, outputs }: Node): true | string {
  const shape = outputs['y']?.shape ?? [];
  // No more axes are walked over than there are.
  if (shape.length <= MAX_RANK) return true;
  const operands = Object.values(inputs).map((value) => value.shape);
  return acceptsAxes(broadcastAxes(shape, operands));
}

/** Dimension `axis` of a value, counted from the end when negative. */
export function dim(value: Value, axis: number): number | string {
  return value.shape.at(axis) ?? 1;
}
