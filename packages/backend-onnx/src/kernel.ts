import type { InputsOf, Kernel, OpName, OutputsOf, Signature, SignatureOf } from '@receptance/core';
import type { Ref } from './lowering/block.ts';
import type { Lowering } from './lowering/lowering.ts';

/**
 * How an op becomes nodes of an ONNX graph: adds them to `o.block`, and names the tensors that are the op's outputs.
 * The same node may be lowered several times, for runs of different forms.
 */
export interface OnnxKernel<S extends Signature = Signature> extends Kernel {
  lower(x: InputsOf<S>, y: OutputsOf<S>, attrs: S['attrs'], o: Lowering): { readonly [Name in S['outputs']]: Ref };
}

export type KernelOf<Op extends OpName> = OnnxKernel<SignatureOf<Op>>;

/** For a kernel of a time op: it has no pooled form, since states are inputs and outputs of the model. */
export function acceptsUnpooled({ inputs }: { readonly inputs: Readonly<Record<string, unknown>> }): true | string {
  return inputs['slots'] === undefined || 'states are inputs and outputs of the model: pools stay outside';
}
