import { ReceptanceError } from '../errors.ts';
import { concreteShape, formatShape, symbolsOf } from '../ir/shape.ts';
import { type Graph, leaves, type Node, type Sizes } from '../ir/types.ts';
import { type Plan, type PlannedFor, plan } from '../plan/plan.ts';
import type { DeviceInfo } from './contract.ts';
import { type Kernel, type KernelTable, selectKernel } from './kernels.ts';
import type { ParameterEntry } from './parameters.ts';

/** What a device keeps of `loadParameters`, to hold graphs against when they are compiled. */
export interface Loaded {
  readonly entries: readonly ParameterEntry[];
  /** Sizes of the symbols in the shapes of variables. */
  readonly limits: Sizes;
}

/** A graph planned for a device, with the kernel of each step. */
export interface Prepared<K extends Kernel> {
  readonly plan: Plan;
  /** One for each of `plan.steps`. */
  readonly kernels: readonly K[];
  /** The largest size of every symbol of the graph. */
  readonly limits: Sizes;
}

/** What a device with these kernels supports: its answer to `Device.supports`. A view needs no kernel. */
export function supportedBy<K extends Kernel>(table: KernelTable<K>, info: DeviceInfo, node: Node): true | string {
  if (node.op === 'reshape') return true;
  const kernel = selectKernel(table, node, info);
  return typeof kernel === 'string' ? kernel : true;
}

/**
 * The part of `Device.compile` that is the same for all: holds limits and leaves against what was loaded, plans, and
 * picks a kernel for each step.
 * @throws UnsupportedOpError; ReceptanceError `BAD_LIMITS`, `MISSING_TENSOR`, `BAD_GRAPH`
 */
export function prepare<K extends Kernel>(
  graph: Graph,
  table: KernelTable<K>,
  info: DeviceInfo,
  loaded: Loaded,
  given: Sizes,
  updates?: PlannedFor['updates'],
): Prepared<K> {
  const limits = checkLimits(graph, loaded, given);
  checkLeaves(graph, loaded);
  const supports = (node: Node): true | string => supportedBy(table, info, node);
  const planned = plan(graph, { supports, backend: info.backend, updates }, limits);
  const kernels = planned.steps.map((node): K => {
    const kernel = selectKernel(table, node, info);
    if (typeof kernel === 'string') throw new Error(`the plan has ${node.op} without a kernel: ${kernel}`);
    return kernel;
  });
  return { plan: planned, kernels, limits };
}

function checkLimits(graph: Graph, loaded: Loaded, given: Sizes): Sizes {
  const limits: Record<string, number> = {};
  const shapes = graph.nodes.flatMap((node) => Object.values(node.outputs).map(({ shape }) => shape));
  for (const symbol of new Set(shapes.flatMap(symbolsOf))) {
    const fixed = loaded.limits[symbol];
    const limit = given[symbol] ?? fixed;
    if (limit === undefined || !Number.isSafeInteger(limit) || limit < 0) {
      throw badLimits(`${graph.name} needs a largest size for ${symbol}, not ${limit}`);
    }
    if (fixed !== undefined && fixed !== limit) {
      throw badLimits(`${symbol} was fixed at ${fixed} when the parameters were loaded, and cannot be ${limit}`);
    }
    limits[symbol] = limit;
  }
  return limits;
}

function checkLeaves(graph: Graph, { entries, limits }: Loaded): void {
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  for (const kind of ['parameter', 'variable'] as const) {
    for (const [name, value] of leaves(graph, kind)) {
      const entry = known.get(name);
      if (entry === undefined) {
        throw new ReceptanceError('MISSING_TENSOR', `${name} was not among the graphs that loadParameters was given`, {
          hint: 'pass every graph that will be compiled as a use',
        });
      }
      const shape = formatShape(concreteShape(value.shape, limits));
      const same = entry.kind === kind && entry.value.dtype === value.dtype && formatShape(entry.shape) === shape;
      if (same) continue;
      throw new ReceptanceError('BAD_GRAPH', `${graph.name} declares ${name} in another way than it was loaded`, {
        hint: `it was loaded as a ${entry.kind} ${entry.value.dtype}${formatShape(entry.shape)}`,
      });
    }
  }
}

function badLimits(message: string): ReceptanceError {
  return new ReceptanceError('BAD_LIMITS', message, { hint: 'give compile a whole number ≥ 0 for every symbol' });
}
