import type { InputsOf, SignatureOf, Value } from '@receptance/core';
import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { attentionRectangle, linearAttention } from './_attention.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

type Inputs = InputsOf<SignatureOf<'wkv7'>>;
type Memory = { readonly y: Ref; readonly s: Ref };

export const wkv7: KernelOf<'wkv7'> = {
  accepts: acceptsUnpooled,
  lower: (x, _, __, o) => attention(x, o) ?? scan(x, o),
};

function scan({ r, lw, k, v, a, b, s0, starts }: Inputs, o: Lowering): Memory {
  const [tokens = 0, ...tail] = r.shape;
  const { states, rows } = recurrence(o, {
    ...{ starts, tokens },
    states: [{ ref: o.ref(s0), rank: 4 }],
    rows: [r, lw, k, v, a, b].map((value) => ({ ref: o.ref(value), tail })),
    made: [tail],
    // s [S,H,value,key]
    step(block, [s = ''], [rt = '', lwt = '', kt = '', vt = '', at = '', bt = '']) {
      const { add, mul, exp, matmul, column, row, vector } = arithmetic(block);
      const removed = matmul(s, column(at));
      // (S a) bᵀ + v kᵀ as one product
      const left = block.op('Concat', [removed, column(vt)], { axis: { int: -1 } });
      const right = block.op('Concat', [row(bt), row(kt)], { axis: { int: -2 } });
      const next = add(mul(s, exp(row(lwt))), matmul(left, right));
      return { states: [next], rows: [vector(matmul(next, column(rt)), -1)] };
    },
  });
  return { y: rows[0] ?? '', s: states[0] ?? '' };
}

/** The delta rule has one key for what is removed and where: RWKV-7 has −kk and kk · rate. */
function factorsOf(a: Value, b: Value, o: Lowering): { readonly kk: Value; readonly rate: Value } | undefined {
  const [negation, product] = [o.producer(a), o.producer(b)];
  const kk = negation?.op === 'unary' && negation.attrs['fn'] === 'neg' ? negation.inputs['x'] : undefined;
  const factors = product?.op === 'binary' && product.attrs['fn'] === 'mul' ? Object.values(product.inputs) : [];
  const rate = factors.find(({ id }) => id !== kk?.id);
  const isProduct = factors.some(({ id }) => id === kk?.id);
  return kk !== undefined && rate !== undefined && isProduct ? { kk, rate } : undefined;
}

/** How little of what a key already holds is forgotten when it learns: the delta rule must do so, RWKV-7 does not. */
const EPSILON = 1e-7;
/** Least rate: below it nothing is removed that f32 could tell. */
const LEAST_RATE = 1e-12;

/**
 * Two steps of LinearAttention for a token, in the basis S = D S′, D = √(rate · w): one removes (key kk √(rate / w), value
 * 0, β 1, decay w and the change of D), one learns (key k / D, β next to 0, value v / β) and reads (query r · D).
 */
function attention({ r, lw, k, v, a, b, s0, starts }: Inputs, o: Lowering): Memory | undefined {
  const [tokens = 0, ...tail] = r.shape;
  const factors = factorsOf(a, b, o);
  const rectangle = factors === undefined ? undefined : attentionRectangle(o, starts, tokens);
  if (factors === undefined || rectangle === undefined) return undefined;
  const { block } = o;
  const { add, sub, mul, div, exp, max, sum } = arithmetic(block);
  const [heads = 0, size = 0] = tail.map(Number);
  const width = heads * size;
  const [half, zero] = [block.floats([0.5]), block.floats([0])];
  const flat = (x: Value): Ref => rectangle.to(o.ref(x), width);
  const perHead = (x: Ref): Ref => block.op('Reshape', [x, block.ints([0, 0, heads, size])]);
  const whole = (x: Ref): Ref => block.op('Reshape', [x, block.ints([0, 0, width])]);

  // A step behind the end of a sequence has rate 1: the basis is the plain one, and an empty sequence keeps its state to the bit.
  const logOfRate = block.op('Log', [max(o.ref(factors.rate), block.floats([LEAST_RATE]))]);
  const [g, logRate] = [flat(lw), rectangle.to(logOfRate, width)];
  const logBasis = mul(add(logRate, g), half);
  const start = o.full(0, [s0.shape[0] ?? 0, 1, width]);
  const basisBefore = o.slice(o.concat([start, logBasis], 1), 1, 0, -1);
  const basis = exp(logBasis);
  const learning = div(flat(k), basis);
  const squares = sum(mul(perHead(learning), perHead(learning)), -1);
  const beta = div(block.floats([EPSILON]), add(squares, block.floats([1e-30])));
  const none = mul(g, zero);
  /** Rows of the two steps in turns: [S,2T,…]. */
  const turns = (removing: Ref, adding: Ref, last: number): Ref => {
    const pairs = o.concat([o.unsqueeze(removing, 2), o.unsqueeze(adding, 2)], 2);
    return block.op('Reshape', [pairs, o.concat([o.size(s0.shape[0] ?? 0), block.ints([-1, last])], 0)]);
  };
  const betas = block.op('Squeeze', [beta, block.ints([3])]);
  const { y, state } = linearAttention(o, {
    query: turns(none, mul(flat(r), basis), width),
    key: turns(mul(flat(factors.kk), exp(mul(sub(logRate, g), half))), learning, width),
    value: turns(none, whole(div(perHead(flat(v)), beta)), width),
    state: o.transpose(o.ref(s0), [0, 1, 3, 2]),
    decay: turns(add(g, sub(basisBefore, logBasis)), none, width),
    beta: turns(add(mul(betas, zero), block.floats([1])), betas, heads),
    heads,
  });
  const pairs = block.op('Reshape', [y, o.concat([o.size(s0.shape[0] ?? 0), block.ints([-1, 2, width])], 0)]);
  const read = block.op('Gather', [pairs, block.ints([1], [])], { axis: { int: 2 } });
  const last = block.op('Gather', [basis, block.ints([-1], [])], { axis: { int: 1 } });
  const scale = block.op('Reshape', [last, block.ints([0, heads, size, 1])]);
  return { y: rectangle.from(read, tail), s: o.transpose(mul(state, scale), [0, 1, 3, 2]) };
}
