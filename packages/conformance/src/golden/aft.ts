import {
  aftConv,
  aftFull,
  aftLocal,
  aftSimple,
  type AttentionInputs,
  GraphBuilder,
  softmaxAttention,
  type Value,
} from '@receptance/core';
import { type Case, NO_WEIGHTS, type Numbers } from '../case.ts';
import type { Tolerances } from '../compare.ts';
import type { GoldenTensors } from './files.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-12 }, f32: { nmse: 1e-10, maxAbs: 1e-5 } };

type Build = (b: GraphBuilder, x: AttentionInputs & { readonly w: Value; readonly f: Value }, causal: boolean) => Value;

/** The graph for an output's name in the file, where there is one. */
function buildOf(output: string): Build | undefined {
  const local = /^aft_local_s(\d+)$/.exec(output);
  const softmax = /^softmax_attn_h(\d+)$/.exec(output);
  if (local) return (b, x, causal) => aftLocal(b, x, { causal, window: Number(local[1]) });
  if (softmax) return (b, x, causal) => softmaxAttention(b, x, { causal, heads: Number(softmax[1]) });
  if (output === 'aft_full') return (b, x, causal) => aftFull(b, x, { causal });
  if (output === 'aft_simple') return (b, x, causal) => aftSimple(b, x, { causal });
  if (output === 'aft_conv') return (b, x, causal) => aftConv(b, x, { causal });
  return undefined;
}

/**
 * The cases of a golden file of attention-free transformers and softmax attention, one for each output.
 * @param causal the file itself does not say it: its name does
 * @returns the cases, and the outputs that there is no graph for
 */
export async function aftCases(
  id: string,
  golden: GoldenTensors,
  causal: boolean,
): Promise<{ readonly cases: readonly Case[]; readonly unknown: readonly string[] }> {
  const inputs: Record<string, Numbers> = {};
  for (const name of ['q', 'k', 'v', 'w', 'conv_w']) inputs[name] = await golden.floats(`in.${name}`);
  const cases: Case[] = [];
  const unknown: string[] = [];
  for (const output of golden.names('out.')) {
    const build = buildOf(output);
    if (build === undefined) {
      unknown.push(output);
      continue;
    }
    const b = new GraphBuilder(`${id}/${output}`);
    const leaf = (name: string): Value => b.input(name, 'f32', golden.shape(`in.${name}`));
    const x = { q: leaf('q'), k: leaf('k'), v: leaf('v'), w: leaf('w'), f: leaf('conv_w') };
    b.output(output, build(b, x, causal));
    cases.push({
      ...{ id: `${id}/${output}`, graph: b.build(), sizes: {}, inputs, weights: NO_WEIGHTS, tolerances: TOLERANCES },
      expected: { outputs: { [output]: await golden.floats(`out.${output}`) } },
    });
  }
  return { cases, unknown };
}
