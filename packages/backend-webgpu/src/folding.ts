import {
  concreteShape,
  elementCount,
  type Graph,
  type Node,
  prune,
  rewrite,
  type TensorInfo,
  type Value,
  type WeightSource,
  widen,
} from '@receptance/core';

/** What is made of a parameter before anything runs, one op after the other. */
interface Recipe {
  readonly base: string;
  readonly steps: readonly Step[];
}

type Step = { readonly fn: 'neg' | 'exp' } | { readonly from: readonly number[]; readonly to: readonly number[] };

/** Graphs that compute less at every step, and what their weights then are. */
export interface Folded {
  readonly graph: Graph;
  readonly recipes: ReadonlyMap<string, Recipe>;
}

/** Matrices are left as they are: these are for vectors. */
const MOST_ELEMENTS = 1 << 20;
/** The largest f32, which stands for what is above it. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/**
 * Takes vectors that are made of one parameter alone out of a graph, such as the decays −exp(time_decay) of RWKV-4 and 5:
 * they become parameters of a name that says how they are made.
 */
export function fold(graph: Graph): Folded {
  const known = new Map<number, Recipe>();
  const recipes = new Map<string, Recipe>();
  for (const node of graph.nodes) {
    const recipe = recipeOf(node, known);
    const y = node.outputs['y'];
    if (recipe !== undefined && y !== undefined) known.set(y.id, recipe);
  }
  const folded = rewrite(graph, {
    replace({ outputs: { y } }, _, { b }) {
      const recipe = known.get(y?.id ?? -1);
      if (y === undefined || recipe === undefined || recipe.steps.length === 0) return undefined;
      const name = nameOf(recipe);
      recipes.set(name, recipe);
      return { y: b.parameter(name, 'f32', y.shape) };
    },
  });
  return recipes.size === 0 ? { graph, recipes } : { graph: prune(folded), recipes };
}

function recipeOf({ op, inputs, attrs, outputs }: Node, known: ReadonlyMap<number, Recipe>): Recipe | undefined {
  const y = outputs['y'];
  if (op === 'parameter') return y?.dtype === 'i32' ? undefined : { base: String(attrs['name']), steps: [] };
  const before = known.get(inputs['x']?.id ?? -1);
  const step = before === undefined ? undefined : stepOf(op, attrs, inputs['x'], y);
  return before === undefined || step === undefined ? undefined : { ...before, steps: [...before.steps, step] };
}

function stepOf(op: string, attrs: Node['attrs'], x: Value | undefined, y: Value | undefined): Step | undefined {
  const [from, to] = [staticShape(x), staticShape(y)];
  if (from === undefined || to === undefined || elementCount(to) > MOST_ELEMENTS || y?.dtype !== 'f32')
    return undefined;
  const { fn } = attrs;
  if (op === 'unary' && (fn === 'exp' || fn === 'neg')) return { fn };
  // A view and a cast to f32 leave the numbers as they are.
  if (op === 'reshape' || op === 'cast') return { from: to, to };
  return op === 'broadcast' ? { from, to } : undefined;
}

function staticShape(value: Value | undefined): number[] | undefined {
  if (value === undefined || value.shape.some((size) => typeof size !== 'number')) return undefined;
  return concreteShape(value.shape, {});
}

function nameOf({ base, steps }: Recipe): string {
  return [base, ...steps.map((step) => ('fn' in step ? step.fn : `[${step.to.join()}]`))].join(' → ');
}

/** The source with what recipes make of its tensors, computed in f64. */
export function foldedSource(source: WeightSource, recipes: Folded['recipes']): WeightSource {
  return {
    tensors: foldedTensors(source.tensors, recipes),
    async read(name, range, signal) {
      const recipe = recipes.get(name);
      if (recipe === undefined) return source.read(name, range, signal);
      const bytes = await made(source, recipe, signal);
      return range === undefined ? bytes : bytes.subarray(range.start, range.end);
    },
  };
}

/** The tensors that such a source has. */
export function foldedTensors(tensors: WeightSource['tensors'], recipes: Folded['recipes']): WeightSource['tensors'] {
  const own = new Map<string, TensorInfo>();
  for (const [name, { base, steps }] of recipes) {
    const stored = tensors.get(base);
    if (stored === undefined) continue;
    const shape = steps.reduce((before, step) => ('fn' in step ? before : step.to), stored.shape);
    own.set(name, { dtype: 'f32', shape, bytes: elementCount(shape) * 4 });
  }
  return new Map([...tensors, ...own]);
}

async function made(
  source: WeightSource,
  { base, steps }: Recipe,
  signal: Parameters<WeightSource['read']>[2],
): Promise<Uint8Array> {
  const { dtype = 'f32', shape = [] } = source.tensors.get(base) ?? {};
  let numbers = new Float64Array(elementCount(shape));
  widen(dtype, await source.read(base, undefined, signal), numbers);
  for (const step of steps) {
    if (!('fn' in step)) numbers = spread(numbers, step.from, step.to);
    else numbers = numbers.map((x) => (step.fn === 'exp' ? Math.exp(x) : -x));
  }
  // NaN stays, for the loader to refuse.
  const rounded = Float32Array.from(numbers, (x) => Math.min(Math.max(x, -LARGEST), LARGEST));
  return new Uint8Array(rounded.buffer);
}

/** A row-major tensor repeated along axes of length 1 and along new ones. */
function spread(numbers: Float64Array<ArrayBuffer>, from: readonly number[], to: readonly number[]) {
  const padded = [...new Array<number>(to.length - from.length).fill(1), ...from];
  return Float64Array.from({ length: elementCount(to) }, (_, index) => {
    let [rest, at, stride] = [index, 0, 1];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const [size, own] = [to[axis] ?? 1, padded[axis] ?? 1];
      at += (own === 1 ? 0 : rest % size) * stride;
      stride *= own;
      rest = Math.floor(rest / size);
    }
    return numbers[at] ?? Number.NaN;
  });
}
