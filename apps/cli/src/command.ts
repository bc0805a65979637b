import { type OptionSpecs, parseOptions, type Values } from './options.ts';
import type { Terminal } from './terminal.ts';

interface Described {
  readonly name: string;
  readonly summary: string;
  /** What follows the name of the command in its help. */
  readonly usage: string;
  /** A heading, and rows under it. */
  readonly notes?: readonly [string, readonly (readonly [string, string])[]];
  /** Command lines, without `receptance`, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
}

export interface Command extends Described {
  readonly options: OptionSpecs;
  /** @returns the exit status */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** A command whose options are checked and read before it runs. */
export function command<Name extends string>(
  definition: Described & {
    readonly options: OptionSpecs<Name>;
    run(values: Values<Name>, terminal: Terminal): Promise<number>;
  },
): Command {
  const { name, options, run } = definition;
  return { ...definition, run: async (args, terminal) => run(parseOptions(name, options, args), terminal) };
}

export function helpOf({ name, summary, usage, options, notes, examples }: Command): string {
  const rows = Object.entries(options).map(([option, { value, help }]) => [
    `--${option}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
  return [
    summary,
    `\nUsage: receptance ${name} ${usage}\n`,
    ...columns(rows),
    ...(notes === undefined ? [] : [`\n${notes[0]}`, ...columns(notes[1])]),
    '\nExamples:',
    ...examples.flatMap(([line, what]) => [`  receptance ${line}`, `      ${what}`]),
    '',
  ].join('\n');
}

/** Rows of two cells, the second aligned. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = '']) => first.length));
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}  ${second}`);
}
