/** A tensor under its official name, or the parts of a fused one in their order. */
export interface Renamed {
  readonly official: readonly string[];
  /** LoRA matrices are stored [out,in]. */
  readonly transposed: boolean;
}

const LAYER = '(0|[1-9]\\d{0,5})';

/** RWKV-4 of Transformers; 5 and 6 of the modelling code that came with the World models. */
const RWKV: readonly Pattern[] = [
  [/^rwkv\.embeddings\.weight$/, 'emb.weight'],
  [/^head\.weight$/, 'head.weight'],
  [/^rwkv\.ln_out\.(weight|bias)$/, 'ln_out.$1'],
  [/^rwkv\.blocks\.0\.pre_ln\.(weight|bias)$/, 'blocks.0.ln0.$1'],
  [block('rwkv\\.blocks', '(ln1|ln2)\\.(weight|bias)'), 'blocks.$1.$2.$3'],
  ...(['attention', 'feed_forward'] as const).flatMap((half): Pattern[] => {
    const part = `blocks.$1.${half === 'attention' ? 'att' : 'ffn'}`;
    return [
      [block('rwkv\\.blocks', `${half}\\.time_mix_([kvrg])(?:ey|alue|eceptance|ate)`), `${part}.time_mix_$2`],
      [block('rwkv\\.blocks', `${half}\\.(time_\\w+)`), `${part}.$2`],
      [block('rwkv\\.blocks', `${half}\\.((?:key|value|receptance|gate|output|ln_x)\\.(?:weight|bias))`), `${part}.$2`],
    ];
  }),
];

/** RWKV-7 of flash-linear-attention. With two groups, `$21` is the second group and a 1. */
const FLA: readonly Pattern[] = [
  [/^model\.embeddings\.weight$/, 'emb.weight'],
  [/^lm_head\.weight$/, 'head.weight'],
  [/^model\.norm\.(weight|bias)$/, 'ln_out.$1'],
  [/^model\.layers\.0\.pre_norm\.(weight|bias)$/, 'blocks.0.ln0.$1'],
  [block('model\\.layers', 'attn_norm\\.(weight|bias)'), 'blocks.$1.ln1.$2'],
  [block('model\\.layers', 'ffn_norm\\.(weight|bias)'), 'blocks.$1.ln2.$2'],
  [block('model\\.layers', 'attn\\.x_x'), ['r', 'w', 'k', 'v', 'a', 'g'].map((name) => `blocks.$1.att.x_${name}`)],
  [block('model\\.layers', 'attn\\.(x_[rwkvag]|k_k|k_a|r_k)'), 'blocks.$1.att.$2'],
  [block('model\\.layers', 'attn\\.g_norm\\.(weight|bias)'), 'blocks.$1.att.ln_x.$2'],
  [block('model\\.layers', 'attn\\.r_proj\\.weight'), 'blocks.$1.att.receptance.weight'],
  [block('model\\.layers', 'attn\\.k_proj\\.weight'), 'blocks.$1.att.key.weight'],
  [block('model\\.layers', 'attn\\.v_proj\\.weight'), 'blocks.$1.att.value.weight'],
  [block('model\\.layers', 'attn\\.o_proj\\.weight'), 'blocks.$1.att.output.weight'],
  [block('model\\.layers', 'attn\\.([wavg])_lora\\.lora\\.0\\.weight'), 'blocks.$1.att.$21', 'transposed'],
  [block('model\\.layers', 'attn\\.([wavg])_lora\\.lora\\.2\\.weight'), 'blocks.$1.att.$22', 'transposed'],
  [block('model\\.layers', 'attn\\.([wav])_lora\\.lora\\.2\\.bias'), 'blocks.$1.att.$20'],
  [block('model\\.layers', 'ffn\\.x_k'), 'blocks.$1.ffn.x_k'],
  [block('model\\.layers', 'ffn\\.(key|value)\\.weight'), 'blocks.$1.ffn.$2.weight'],
];

type Pattern = readonly [pattern: RegExp, official: string | readonly string[], form?: 'transposed'];

export interface NamingScheme {
  /** A name that only checkpoints of this scheme have. */
  readonly mark: string;
  readonly embedding: string;
  readonly head: string;
  /** `undefined` for a name that the scheme does not have. */
  rename(name: string): Renamed | undefined;
}

export const SCHEMES: readonly NamingScheme[] = [
  { mark: 'rwkv.embeddings.weight', embedding: 'rwkv.embeddings.weight', head: 'head.weight', rename: by(RWKV) },
  {
    mark: 'model.layers.0.attn.w_lora.lora.0.weight',
    embedding: 'model.embeddings.weight',
    head: 'lm_head.weight',
    rename: by(FLA),
  },
];

function block(blocks: string, rest: string): RegExp {
  return new RegExp(`^${blocks}\\.${LAYER}\\.${rest}$`);
}

function by(patterns: readonly Pattern[]): (name: string) => Renamed | undefined {
  return (name) => {
    const found = patterns.find(([pattern]) => pattern.test(name));
    if (found === undefined) return undefined;
    const [pattern, official, form] = found;
    const names = typeof official === 'string' ? [official] : official;
    return { official: names.map((text) => name.replace(pattern, text)), transposed: form === 'transposed' };
  };
}
