import type { Cost, Sizes } from '@receptance/core';
import { type LowerContext, type Operand, type Program, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { FORMATS, type Format, numberBytes, PER_CHUNK, scaleBytes, type Weight, type WeightPart } from '../weight.ts';

/** Jobs that the params of a dispatch have room for. */
const MOST_JOBS = 7;
/** Rows of x up to which every one of them reads the weights for itself. */
const FEW_TOKENS = 8;
/** Rows of weights of a dispatch from which on tiles are large: fewer would leave most of a GPU idle. */
const MANY_ROWS = 1024;

/** What is done with a sum. Shaders know them by their place. */
const FUNCTIONS = ['none', 'tanh', 'sigmoid', 'reluSquared', 'silu', 'decay7', 'decay6'] as const;
export type Finish = (typeof FUNCTIONS)[number];
const [BIAS, ADD, GATE] = [0x100, 0x200, 0x400];

/** Rows of x times the rows of a weight: `fn(x @ wᵀ + bias)`, gated and added to where the projection says so. */
export interface Job {
  readonly weight: Weight;
  readonly fn?: Finish;
  /** Element where its rows of x begin; they are as wide as the weight's. */
  x?(sizes: Sizes): number;
  /** Element where its rows of y begin; they are as wide as the weight has rows. */
  y?(sizes: Sizes): number;
  /** Element of `vectors` where the bias begins. */
  readonly bias?: number | undefined;
}

/** Jobs of one step, which become as few dispatches as the memory and the formats of their weights allow. */
export interface Projection {
  readonly jobs: readonly Job[];
  tokens(sizes: Sizes): number;
  readonly x: Operand;
  readonly y: Operand;
  /** Where biases lie. */
  readonly vectors?: Operand;
  /** What is added, from element 0 on, in the places of y. */
  readonly residual?: Operand;
  /** Element of x where what y is multiplied with begins. */
  gate?(sizes: Sizes): number;
}

interface PartJob {
  readonly job: Job;
  readonly part: WeightPart;
}

/** Whether `project` takes rows of this width. */
export function isProjectable({ flipped, columns }: Weight): boolean {
  return !flipped && columns % 4 === 0 && columns > 0;
}

export function project(projection: Projection, context: LowerContext): Program[] {
  const groups = new Map<string, PartJob[]>();
  for (const job of projection.jobs) {
    for (const part of job.weight.parts) {
      const key = `${job.weight.format} ${keyOf(part.operand)}`;
      groups.set(key, [...(groups.get(key) ?? []), { job, part }]);
    }
  }
  return [...groups.values()].flatMap((jobs) => {
    const chunks = Array.from({ length: Math.ceil(jobs.length / MOST_JOBS) }, (_, i) => i * MOST_JOBS);
    return chunks.flatMap((first) => programsOf(jobs.slice(first, first + MOST_JOBS), projection, context));
  });
}

function keyOf(operand: Operand): string {
  if ('scratch' in operand) return `scratch ${operand.scratch}`;
  return 'gpu' in operand ? `memory ${operand.id}` : `value ${operand.id}`;
}

/** One for few tokens, one for many: all but one launch nothing. */
function programsOf(jobs: readonly PartJob[], projection: Projection, context: LowerContext): Program[] {
  const [first] = jobs;
  if (first === undefined) return [];
  const { format } = first.job.weight;
  const { x, y, vectors, residual } = projection;
  const operand = first.part.operand;
  const bindings = [...[operand, operand, x, vectors ?? operand, residual ?? x].map(read), write(y)];
  const shape = shapeOf(jobs, format, context);
  const TILE = rowsOf(jobs) >= MANY_ROWS ? context.tile : 32;
  const count = (tokens: number, together: number): number =>
    jobs.reduce((sum, { part }) => sum + Math.ceil(part.rows / together), 0) * tokens;
  const cost = (sizes: Sizes): Cost => costOf(jobs, projection.tokens(sizes));
  const few: Program[] = [
    {
      shader: shader('_project', '_weights', '_finish'),
      constants: { FORMAT: FORMATS.indexOf(format), ...shape },
      bindings,
      cost,
      launch(sizes) {
        const tokens = projection.tokens(sizes);
        const together = (shape.WG / shape.LANES) * shape.ROWS;
        const workgroups = tokens > FEW_TOKENS ? 0 : count(tokens, together);
        return { workgroups, params: paramsOf(jobs, projection, tokens, sizes) };
      },
    },
  ];
  if (projection.tokens(context.limits) <= FEW_TOKENS) return few;
  return [
    ...few,
    {
      shader: shader('_projectTiles', '_weights', '_finish'),
      constants: { FORMAT: FORMATS.indexOf(format), TILE },
      bindings,
      cost,
      launch(sizes) {
        const tokens = projection.tokens(sizes);
        const workgroups = tokens > FEW_TOKENS ? count(Math.ceil(tokens / TILE), TILE) : 0;
        return { workgroups, params: paramsOf(jobs, projection, tokens, sizes) };
      },
    },
  ];
}

/** Every weight is read once, every row of x and of y. */
function costOf(jobs: readonly PartJob[], tokens: number): Cost {
  return jobs.reduce(
    (sum, { job: { weight }, part: { rows } }) => {
      const { format, columns } = weight;
      const weights = numberBytes(format, rows, columns) + scaleBytes(format, rows, columns);
      return {
        flops: sum.flops + 2 * tokens * rows * columns,
        bytes: sum.bytes + weights + 4 * tokens * (rows + columns),
      };
    },
    { flops: 0, bytes: 0 },
  );
}

/** How many invocations share a row, and how many rows: enough workgroups first, then fewer reads of x. */
function shapeOf(jobs: readonly PartJob[], format: Format, { lanes, workgroup }: LowerContext) {
  const longest = Math.max(...jobs.map(({ job }) => Math.ceil(job.weight.columns / PER_CHUNK[format])));
  const rows = rowsOf(jobs);
  const LANES = Math.min(lanes, 2 ** Math.floor(Math.log2(longest)));
  return { WG: workgroup, LANES, ROWS: rows >= 16384 ? 4 : rows >= 4096 ? 2 : 1 };
}

function rowsOf(jobs: readonly PartJob[]): number {
  return jobs.reduce((sum, { part }) => sum + part.rows, 0);
}

function paramsOf(jobs: readonly PartJob[], projection: Projection, tokens: number, sizes: Sizes): number[] {
  const shared = (projection.residual === undefined ? 0 : ADD) | (projection.gate === undefined ? 0 : GATE);
  const words = jobs.flatMap(({ job, part }) => {
    const { weight, fn = 'none', bias } = job;
    const finish = FUNCTIONS.indexOf(fn) | shared | (bias === undefined ? 0 : BIAS);
    const [xAt, yAt] = [job.x?.(sizes) ?? 0, (job.y?.(sizes) ?? 0) + part.firstRow];
    const biasAt = (bias ?? 0) + part.firstRow;
    return [part.at, part.rows, weight.columns, finish, xAt, yAt, weight.rows, biasAt];
  });
  return [tokens, jobs.length, projection.gate?.(sizes) ?? 0, 0, ...words];
}
