/**
 * How a tensor is stored in a GGUF file, against its official form:
 * - `matrix`, `vector`: the same; matrices may be in blocks
 * - `channels`: [C], officially [1,1,C]
 * - `fused`: several of `channels` in one, [n,1,1,C]
 * - `lora`: the last two axes exchanged
 * - `heads`: flat or [H,N], officially [H,N]
 */
export type Form = 'matrix' | 'vector' | 'channels' | 'fused' | 'lora' | 'heads';

export interface Rule {
  readonly form: Form;
  /** Its name in the file without the ending, `.weight` unless `stored` has one. */
  readonly stored: string;
  /** Its official name, or several in the order they are fused in. */
  readonly official: readonly string[];
}

export type Architecture = 'rwkv6' | 'rwkv7';

function rule(form: Form, stored: string, ...official: string[]): Rule {
  return { form, stored: /\.(?:weight|bias)$/.test(stored) ? stored : `${stored}.weight`, official };
}

function norm(stored: string, official: string): Rule[] {
  return ['weight', 'bias'].map((part) => rule('vector', `${stored}.${part}`, `${official}.${part}`));
}

function each(form: Form, stored: string, official: string, ...names: string[]): Rule[] {
  return names.map((name) => rule(form, `${stored}${name}`, `${official}${name}`));
}

/** Tensors outside the blocks. */
export const MODEL_RULES: readonly Rule[] = [
  rule('matrix', 'token_embd', 'emb.weight'),
  rule('matrix', 'output', 'head.weight'),
  ...norm('token_embd_norm', 'blocks.0.ln0'),
  ...norm('output_norm', 'ln_out'),
];

/** The order of the fused mixes. Files of version 6 from before the fusion have a tensor for each. */
const FUSED_6 = ['w', 'k', 'v', 'r', 'g'];
const FUSED_7 = ['r', 'w', 'k', 'v', 'a', 'g'];

const BOTH: readonly Rule[] = [
  ...norm('attn_norm', 'ln1'),
  ...norm('attn_norm_2', 'ln2'),
  ...norm('time_mix_ln', 'att.ln_x'),
  ...['receptance', 'key', 'value', 'output'].map((name) => rule('matrix', `time_mix_${name}`, `att.${name}.weight`)),
  ...['key', 'value'].map((name) => rule('matrix', `channel_mix_${name}`, `ffn.${name}.weight`)),
];

/** Tensors of a block, after `blk.<layer>.` in the file, `blocks.<layer>.` officially. */
export const BLOCK_RULES: Readonly<Record<Architecture, readonly Rule[]>> = {
  rwkv6: [
    ...BOTH,
    rule('matrix', 'time_mix_gate', 'att.gate.weight'),
    rule('matrix', 'channel_mix_receptance', 'ffn.receptance.weight'),
    rule('fused', 'time_mix_lerp_fused', ...FUSED_6.map((name) => `att.time_maa_${name}`)),
    ...each('channels', 'time_mix_lerp_', 'att.time_maa_', 'x', ...FUSED_6),
    ...each('channels', 'channel_mix_lerp_', 'ffn.time_maa_', 'k', 'r'),
    ...each('lora', 'time_mix_', 'att.time_maa_', 'w1', 'w2'),
    ...each('lora', 'time_mix_decay_', 'att.time_decay_', 'w1', 'w2'),
    rule('channels', 'time_mix_decay', 'att.time_decay'),
    rule('heads', 'time_mix_first', 'att.time_faaaa'),
  ],
  rwkv7: [
    ...BOTH,
    rule('fused', 'time_mix_lerp_fused', ...FUSED_7.map((name) => `att.x_${name}`)),
    rule('channels', 'channel_mix_lerp_k', 'ffn.x_k'),
    ...each('channels', 'time_mix_', 'att.', 'w0', 'a0', 'v0', 'k_k', 'k_a'),
    ...each('lora', 'time_mix_', 'att.', 'w1', 'w2', 'a1', 'a2', 'v1', 'v2', 'g1', 'g2'),
    rule('heads', 'time_mix_r_k', 'att.r_k'),
  ],
};

/** What the first block has no use for, and llama.cpp's converter fills with copies of `a0`, `a1`, `a2`. */
export const UNUSED: RegExp = /^blk\.0\.time_mix_v[012]\.weight$/;
