import { type Dim, SAMPLE_PARAMETERS } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { firstMaximum, firstPlace, lastPlace } from './_rows.ts';

type Setting = keyof typeof SAMPLE_PARAMETERS;

export const sample: KernelOf<'sample'> = {
  lower({ logits, parameters, counts, u }, _, __, o) {
    const { block } = o;
    if (o.isEmpty(logits.shape)) return { token: o.cast(o.ref(u), 'int32'), counts: o.ref(counts) };
    const settings = o.ref(parameters);
    const setting = (name: Setting): Ref => {
      const column = Object.keys(SAMPLE_PARAMETERS).indexOf(name);
      return o.slice(settings, 1, column, column + 1);
    };
    const before = o.ref(counts);
    const width = logits.shape[1] ?? 0;
    const penalised = penalise(o.ref(logits), before, setting, o);
    const drawn = draw(penalised, setting, o.unsqueeze(o.ref(u), 1), width, o);
    const columns = block.op('Range', [block.ints32([0]), scalar(width, o), block.ints32([1])]);
    const isDrawn = block.op('Equal', [o.unsqueeze(drawn, 1), columns]);
    const after = block.op('Add', [block.op('Mul', [before, setting('penaltyDecay')]), o.cast(isDrawn, 'float32')]);
    return { token: drawn, counts: after };
  },
};

function scalar(dim: Dim, o: Lowering): Ref {
  const fixed = o.fixed(dim);
  if (fixed !== undefined) return o.block.ints32([fixed], []);
  return o.cast(o.block.op('Squeeze', [o.size(dim), o.block.ints([0])]), 'int32');
}

function penalise(logits: Ref, counts: Ref, setting: (name: Setting) => Ref, { block }: Lowering): Ref {
  const zero = block.floats([0]);
  const repetition = setting('repetitionPenalty');
  const repeated = block.op('Where', [
    block.op('Greater', [logits, zero]),
    block.op('Div', [logits, repetition]),
    block.op('Mul', [logits, repetition]),
  ]);
  const frequency = block.op('Mul', [setting('frequencyPenalty'), counts]);
  const less = block.op('Sub', [repeated, block.op('Add', [setting('presencePenalty'), frequency])]);
  return block.op('Where', [block.op('Greater', [counts, zero]), less, logits]);
}

/** int32 [R]: what each row of logits [R,V] draws by its u [R,1]. */
function draw(logits: Ref, setting: (name: Setting) => Ref, u: Ref, width: Dim, o: Lowering): Ref {
  const { block } = o;
  const best = firstMaximum(logits, o, width);
  const p = block.op('Softmax', [logits], { axis: { int: -1 } });
  const largest = o.reduce('ReduceMax', p, [1], true);
  const byMinP = block.op('Mul', [setting('minP'), largest]);
  const threshold = block.op('Max', [byMinP, thresholdByRank(p, setting, width, o)]);

  const kept = block.op('GreaterOrEqual', [p, threshold]);
  const temperature = setting('temperature');
  const [zero, one] = [block.floats([0]), block.floats([1])];
  const isGreedy = block.op('Equal', [temperature, zero]);
  // (p / max p)^{1/temperature}, by the logits that p is made of: not every provider has a power that works.
  const below = block.op('Sub', [logits, o.reduce('ReduceMax', logits, [1], true)]);
  const powers = block.op('Exp', [block.op('Div', [below, block.op('Where', [isGreedy, one, temperature])])]);
  const q = wide(block.op('Where', [kept, powers, zero]), o);
  const goal = block.op('Mul', [wide(u, o), o.reduce('ReduceSum', q, [1], true)]);
  const reached = block.op('Greater', [cumulative(q, o), goal]);
  const found = block.op('Where', [holds(reached, o), firstPlace(reached, o, width), lastPlace(kept, o, width)]);
  // The WebGPU provider drops no axis of bools.
  const temperatures = block.op('Squeeze', [temperature, block.ints([1])]);
  return block.op('Where', [block.op('Equal', [temperatures, zero]), best, found]);
}

/** f32 [R,1]: the larger of the thresholds of top-k and top-p; 0 where both are off. */
function thresholdByRank(p: Ref, setting: (name: Setting) => Ref, width: Dim, o: Lowering): Ref {
  const { block } = o;
  const [topK, topP] = [setting('topK'), setting('topP')];
  const [zero, one] = [block.floats([0]), block.floats([1])];
  const where = (condition: Ref, x: Ref): Ref => block.op('Where', [condition, x, zero]);
  const [descending = ''] = block.ops('TopK', [p, o.size(width)], 2, { axis: { int: 1 } });

  // In floats, which hold any place of a vocabulary, and which every provider compares.
  const fixed = o.fixed(width);
  const columns = fixed === undefined ? o.cast(o.size(width), 'float32') : block.floats([fixed]);
  const last = block.op('Sub', [columns, one]);
  const k = block.op('Sub', [block.op('Floor', [topK]), one]);
  const place = o.cast(block.op('Max', [block.op('Min', [k, last]), zero]), 'int32');
  const atK = block.op('GatherElements', [descending, place], { axis: { int: 1 } });
  const byK = where(block.op('GreaterOrEqual', [topK, one]), where(block.op('LessOrEqual', [k, last]), atK));

  const reached = block.op('GreaterOrEqual', [cumulative(wide(descending, o), o), wide(topP, o)]);
  const nucleus = o.unsqueeze(firstPlace(reached, o, width), 1);
  const atP = block.op('GatherElements', [descending, nucleus], { axis: { int: 1 } });
  const byP = where(block.op('Less', [topP, one]), where(holds(reached, o, true), atP));
  return block.op('Max', [byK, byP]);
}

/** bool [R], or [R,1]: whether a mask [R,V] holds anywhere. */
function holds(mask: Ref, o: Lowering, keep = false): Ref {
  return o.block.op('Greater', [o.reduce('ReduceMax', o.cast(mask, 'float32'), [1], keep), o.block.floats([0])]);
}

/** Sums over a vocabulary are taken in f64, where the provider has it. */
function wide(x: Ref, o: Lowering): Ref {
  return o.target.provider === 'webgpu' ? x : o.cast(x, 'double');
}

function cumulative(x: Ref, { block }: Lowering): Ref {
  return block.op('CumSum', [x, block.ints32([1])]);
}
