import { normal, type OpSpec, weight } from '../spec.ts';

export const lora: readonly OpSpec[] = (['none', 'tanh', 'sigmoid'] as const).flatMap((fn) =>
  [true, false].flatMap((withBias) =>
    [0, 1, 6].map((N): OpSpec => {
      const weights = { w1: weight(normal([12, 5], 0.5)), w2: weight(normal([5, 9], 0.5)) };
      const inputs = { x: normal(['N', 12]), ...weights, ...(withBias ? { bias: normal([9]) } : {}) };
      return { op: 'lora', name: `${fn},N=${N}${withBias ? '' : ',no bias'}`, attrs: { fn }, sizes: { N }, inputs };
    }),
  ),
);
