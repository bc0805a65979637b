import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';

/**
 * Gradient of `(x − mean) / sqrt(var + eps) · w + b` taken over `groups` groups of channels (layer norm: one).
 * With x̂ the normed x and h = g·w:  gx = (h − mean h − x̂ · mean(h·x̂)) / sqrt(var + eps).
 */
export function normalizeVjp(
  b: GraphBuilder,
  { x, w }: { readonly x: Value; readonly w: Value },
  groups: number,
  eps: number,
  g: Value,
): { x: Value; w: Value; b: Value } {
  const [rows = 0, channels] = x.shape;
  const grouped = [rows, groups, Number(channels) / groups];
  const mean = (v: Value): Value => b.reduce('mean', v, [2], true);
  const centred = b.binary('sub', b.reshape(x, grouped), mean(b.reshape(x, grouped)));
  const deviation = b.unary('sqrt', b.binary('add', mean(b.binary('mul', centred, centred)), eps));
  const normed = b.binary('div', centred, deviation);
  const h = b.reshape(b.binary('mul', g, w), grouped);
  const slope = b.binary('mul', normed, mean(b.binary('mul', h, normed)));
  const gx = b.binary('div', b.binary('sub', b.binary('sub', h, mean(h)), slope), deviation);
  return {
    x: b.reshape(gx, x.shape),
    w: b.reduce('sum', b.binary('mul', g, b.reshape(normed, x.shape)), [0]),
    b: b.reduce('sum', g, [0]),
  };
}
