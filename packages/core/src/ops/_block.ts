import type { AttrPort, OpDefinition, Port, Signature } from '../ir/definition.ts';
import type { Value } from '../ir/types.ts';

/** What both halves of a block take under the same name. */
type Shared = 'x' | 'starts' | 'slots';
type Norm = `ln${1 | 2}_${'w' | 'b'}`;

/** The ports of a block: those of its halves, `att_` and `ffn_` before their names. */
export type BlockSignature<T extends Signature, C extends Signature> = {
  inputs: 'x' | 'starts' | Norm | `att_${Exclude<T['inputs'], Shared>}` | `ffn_${Exclude<C['inputs'], Shared>}`;
  optional: 'slots' | `att_${Exclude<T['optional'], Shared>}` | `ffn_${Exclude<C['optional'], Shared>}`;
  outputs: 'y' | `att_${Exclude<T['outputs'], 'y'>}` | `ffn_${Exclude<C['outputs'], 'y'>}`;
  attrs: T['attrs'] & C['attrs'] & { readonly lnEps: number };
};

/** A half of a block: the op's name and definition. */
interface Half<S extends Signature> {
  readonly op: string;
  readonly definition: OpDefinition<S>;
}

const SHARED: readonly string[] = ['x', 'starts', 'slots', 'y'];
const HALVES = ['att', 'ffn'] as const;

/** A whole block of one version as a composite of its two halves, the norms before them and the residual stream. */
export function blockOf<T extends Signature, C extends Signature>(
  version: string,
  timeMix: Half<T>,
  channelMix: Half<C>,
): OpDefinition<BlockSignature<T, C>> {
  const halves = { att: general(timeMix), ffn: general(channelMix) };
  const { att, ffn } = halves;
  const ports = (half: 'att' | 'ffn', which: 'inputs' | 'optional' | 'outputs'): Record<string, Port> =>
    renamed(half, halves[half].definition[which] ?? {});
  const norm = (part: string, half: string): Port => ({
    shape: 'C',
    doc: `${part} of the norm before the ${half} mix`,
  });
  const definition: OpDefinition = {
    kind: 'composite',
    summary: `A whole block of ${version}: both halves, the norms before them, and the residual stream.`,
    formula: [
      `h, att_… = ${att.op}(layerNorm(x, ln1_w, ln1_b), att_…);  x = x + h`,
      `h, ffn_… = ${ffn.op}(layerNorm(x, ln2_w, ln2_b), ffn_…);  y = x + h`,
    ].join('\n'),
    ...(att.definition.source === undefined ? {} : { source: att.definition.source }),
    inputs: {
      x: { shape: 'N C', doc: 'the residual stream' },
      starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
      ...{ ln1_w: norm('weight', 'time'), ln1_b: norm('bias', 'time') },
      ...{ ln2_w: norm('weight', 'channel'), ln2_b: norm('bias', 'channel') },
      ...ports('att', 'inputs'),
      ...ports('ffn', 'inputs'),
    },
    optional: {
      ...ports('att', 'optional'),
      ...ports('ffn', 'optional'),
      slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' },
    },
    outputs: {
      y: { shape: 'N C', doc: 'the residual stream after the block' },
      ...ports('att', 'outputs'),
      ...ports('ffn', 'outputs'),
    },
    attrs: {
      lnEps: { type: 'epsilon', doc: 'of the layer norms; 1e-5 in official models' },
      ...attrsOf(att.definition),
      ...attrsOf(ffn.definition),
    },
    constraints: [...(att.definition.constraints ?? []), ...(ffn.definition.constraints ?? [])],
    infer(x, attrs, dims) {
      for (const half of HALVES) {
        const { definition: own } = halves[half];
        own.infer?.(portsOf(half, x), pick(attrs, own), dims);
      }
      return {};
    },
    state: Object.fromEntries(
      HALVES.flatMap((half) =>
        Object.entries(halves[half].definition.state ?? {}).map(([input, output]) => [
          `${half}_${input}`,
          `${half}_${output}`,
        ]),
      ),
    ),
    decompose(b, x, attrs) {
      const outputs: Record<string, Value> = {};
      let stream = x['x'];
      for (const [i, half] of HALVES.entries()) {
        const { op, definition: own } = halves[half];
        const [w, bias] = [x[`ln${i + 1}_w`], x[`ln${i + 1}_b`]];
        if (stream === undefined || w === undefined || bias === undefined) break;
        const residual = stream;
        const made = b.scope(half, () => {
          const normed = b.add('layerNorm', { x: residual, w, b: bias }, { eps: Number(attrs['lnEps']) }).y;
          return b.insert(op, { ...portsOf(half, x), x: normed, starts: x['starts'] }, pick(attrs, own));
        });
        for (const [name, value] of Object.entries(made)) outputs[name === 'y' ? name : `${half}_${name}`] = value;
        stream = made['y'] && b.binary('add', residual, made['y']);
      }
      return stream === undefined ? outputs : { ...outputs, y: stream };
    },
  };
  // The names are made here; the type says what they come to.
  return definition as OpDefinition as OpDefinition<BlockSignature<T, C>>;
}

/** A half whose ports are known by any name. */
function general<S extends Signature>({ op, definition }: Half<S>): Half<Signature> {
  return { op, definition: definition as OpDefinition };
}

function renamed(half: string, ports: Readonly<Record<string, Port>>): Record<string, Port> {
  const own = Object.entries(ports).filter(([name]) => !SHARED.includes(name));
  return Object.fromEntries(own.map(([name, port]) => [`${half}_${name}`, port]));
}

/** What a block is given for one half, under the half's own names. */
function portsOf(half: string, x: Readonly<Record<string, Value | undefined>>): Record<string, Value | undefined> {
  const own = Object.entries(x).filter(([name]) => name.startsWith(`${half}_`));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(half.length + 1), value]));
}

function attrsOf({ attrs }: OpDefinition): Readonly<Record<string, AttrPort>> {
  return attrs ?? {};
}

function pick<Attr>(attrs: Readonly<Record<string, Attr>>, definition: OpDefinition): Record<string, Attr> {
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => Object.hasOwn(attrsOf(definition), name)));
}
