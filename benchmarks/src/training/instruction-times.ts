/** Operands that say how large an instruction is, and which of its functions is meant. */
const SIZES: ReadonlySet<string> = new Set([
  ...['function', 'batch', 'm', 'n', 'transpose_a', 'transpose_b', 'rows', 'inner', 'outer', 'groups', 'width'],
  ...['tokens', 'sequences', 'heads', 'size', 'ops', 'count'],
]);
const WORD = 8;

/** All instructions of one kind and size that programs were made of. */
export interface InstructionTime extends InstructionCost {
  readonly instruction: string;
  /** `rows 2048 inner 128 outer 512` and so on. */
  readonly sizes: string;
  readonly runs: number;
  /** Of the quickest: whatever disturbs makes it slower. */
  readonly milliseconds: number;
}

/** What one of them does at least; 0 where nobody counts. */
interface InstructionCost {
  /** Multiplications and additions of products of matrices; results of ops on single elements. */
  readonly flops: number;
  /** Bytes read and written once. */
  readonly bytes: number;
}

/** Times by instruction of all programs that ran since it was made, or since the last `clear`. */
export interface InstructionTimes {
  all(): readonly InstructionTime[];
  clear(): void;
}

/** Has every WASM device of one thread that `work` opens run its programs an instruction at a time, and times each. */
export async function timingInstructions<T>(work: (times: InstructionTimes) => Promise<T>): Promise<T> {
  const { instantiate } = WebAssembly;
  const found = new Map<string, InstructionTime>();
  const timed = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
    const instance = await instantiate(module, imports);
    const { exports } = instance;
    const { run, instructions, instructions_length: length } = exports;
    const memory = imports['env']?.['memory'];
    const isOurs = typeof run === 'function' && typeof instructions === 'function' && typeof length === 'function';
    if (!isOurs || !(memory instanceof WebAssembly.Memory)) return instance;
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, instructions(), length()));
    return { exports: { ...exports, run: stepper(tableOf(text), memory, run, found) } };
  };
  Object.assign(WebAssembly, { instantiate: timed });
  try {
    return await work({ all: () => [...found.values()], clear: () => found.clear() });
  } finally {
    Object.assign(WebAssembly, { instantiate });
  }
}

interface Instruction {
  readonly name: string;
  readonly operands: readonly string[];
}

/** What the crate says of its instructions (`program.rs`), by opcode. */
function tableOf(text: string): readonly Instruction[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', ...operands] = line.split(' ');
      return { name, operands };
    });
}

type Run = (code: number, registers: number, plan: number, id: number, threads: number, control: number) => void;

/**
 * The same as `run`, an instruction at a time: the word before an instruction becomes the length of a program of one, which begins
 * there, and is what it was again afterwards.
 */
function stepper(
  table: readonly Instruction[],
  memory: WebAssembly.Memory,
  run: CallableFunction,
  found: Map<string, InstructionTime>,
): Run {
  return (code, registers, plan, ...team) => {
    const words = (): BigUint64Array => new BigUint64Array(memory.buffer);
    const word = (address: number): number => Number(words()[address / WORD]);
    // What moves on between the steps of a loop only the crate knows.
    if (word(plan) !== 1) return void run(code, registers, plan, ...team);
    let at = code + WORD;
    for (let left = word(code); left > 0; left--) {
      const instruction = table[word(at)];
      if (instruction === undefined) throw new Error(`the crate has no instruction ${word(at)}`);
      const { name, operands } = instruction;
      const values = operands.map((_, i) => word(registers + WORD * word(at + WORD * (1 + i))));
      const before = word(at - WORD);
      words()[at / WORD - 1] = 1n;
      const began = performance.now();
      run(at - WORD, registers, plan, ...team);
      const milliseconds = performance.now() - began;
      words()[at / WORD - 1] = BigInt(before);
      add(found, name, new Map(operands.map((operand, i) => [operand, values[i] ?? 0])), milliseconds, word);
      at += WORD * (1 + operands.length);
    }
  };
}

type Word = (address: number) => number;

function add(
  found: Map<string, InstructionTime>,
  instruction: string,
  values: ReadonlyMap<string, number>,
  milliseconds: number,
  word: Word,
): void {
  const isProduct = values.has('m');
  const isSize = (name: string): boolean => SIZES.has(name) || (name === 'k' && isProduct);
  const sizes = [...values].flatMap(([name, value]) => (isSize(name) ? `${name} ${value}` : [])).join(' ');
  const cost = costOf(instruction, values, word);
  const key = `${instruction} ${sizes} ${cost.bytes}`;
  const known = found.get(key);
  const least = Math.min(known?.milliseconds ?? milliseconds, milliseconds);
  found.set(key, { instruction, sizes, ...cost, runs: (known?.runs ?? 0) + 1, milliseconds: least });
}

function costOf(instruction: string, values: ReadonlyMap<string, number>, word: Word): InstructionCost {
  const of = (name: string): number => values.get(name) ?? 1;
  if (instruction === 'fused')
    return { flops: of('ops') * of('count'), bytes: tapeBytes(of('tape'), of('count'), word) };
  if (!values.has('m') && !values.has('inner')) return { flops: 0, bytes: 0 };
  const [batch, rows, inner, outer] = values.has('m')
    ? [of('batch'), of('m'), of('k'), of('n')]
    : [1, of('rows'), of('inner'), of('outer')];
  const numbers = batch * (rows * inner + inner * outer + rows * outer);
  return { flops: 2 * batch * rows * inner * outer, bytes: 4 * numbers };
}

/** What a tape (`fused.rs`) reads and writes of full size; what is repeated is small. */
function tapeBytes(tape: number, count: number, word: Word): number {
  let at = tape;
  const next = (): number => {
    at += WORD;
    return word(at - WORD);
  };
  const take = (many: number): number[] => Array.from({ length: many }, next);
  const rank = next();
  take(rank);
  let full = 0;
  for (let inputs = next(); inputs > 0; inputs--) {
    const [, ...strides] = take(1 + rank);
    if (strides.every((stride) => stride !== 0)) full++;
  }
  for (let ops = next(); ops > 0; ops--) {
    const [, , , , , address] = take(6);
    if (address !== 0) full++;
  }
  return 4 * count * full;
}
