import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';
import { UsageError } from './usage-error.ts';

/** An option of a command. One with `value` takes a value, called so in the help; one without is a switch. */
export interface OptionSpec {
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs<Name extends string = string> = Readonly<Record<Name, OptionSpec>>;

/** Every command has these. */
export const COMMON: OptionSpecs<'json' | 'verbose' | 'help'> = {
  json: { help: 'print one JSON object on stdout; errors too' },
  verbose: { help: 'say more; show the stack of an unexpected error' },
  help: { help: 'show this' },
};

/** The options of a command line, read by name and checked where they are read. */
export class Values<Name extends string> {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(values: Readonly<Record<string, string | boolean | undefined>>) {
    this.#values = values;
  }

  flag(name: Name): boolean {
    return this.#values[name] === true;
  }

  text(name: Name): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws UsageError `BAD_OPTION` when it was not given */
  required(name: Name): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw badOption(`--${name} is missing`, `give --${name}`);
  }

  /** @throws UsageError `BAD_OPTION` */
  number(name: Name, least: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isFinite(number) && number >= least) return number;
    const bound = Number.isFinite(least) ? `, ${least} or more` : '';
    throw badOption(`--${name} must be a number${bound}, not "${value}"`, `for example --${name} 1`);
  }

  /** @throws UsageError `BAD_OPTION` */
  integer(name: Name, least = 0): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw badOption(`--${name} must be a whole number, ${least} or more, not "${value}"`, `for example --${name} 16`);
  }
}

/** @throws UsageError `BAD_OPTION` for an option that the command has not, or one without its value */
export function parseOptions<Name extends string>(
  command: string,
  specs: OptionSpecs<Name>,
  args: readonly string[],
): Values<Name> {
  const names = Object.keys(specs) as Name[];
  const options = Object.fromEntries(
    names.map((name) => [name, { type: specs[name].value === undefined ? ('boolean' as const) : ('string' as const) }]),
  );
  const { tokens } = parseArgs({
    args: joinNegative(args),
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const help = `receptance ${command} --help lists the options`;
  const values: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw badOption(`"${token.value}" is not expected here`, `texts need quotes, and an option before them; ${help}`);
    }
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name as Name] : undefined;
    const meant = spec === undefined ? nearest(token.name, names) : undefined;
    if (spec === undefined)
      throw badOption(`there is no option ${token.rawName}`, meant === undefined ? help : `did you mean --${meant}?`);
    if (Object.hasOwn(values, token.name)) throw badOption(`--${token.name} is given twice`, help);
    if (spec.value === undefined && token.value !== undefined) throw badOption(`--${token.name} takes no value`, help);
    if (spec.value !== undefined && (token.value === undefined || isNextOption(token))) {
      const joined =
        token.value === undefined ? '' : `; a value that begins with -- is joined: --${token.name}=${token.value}`;
      throw badOption(`--${token.name} needs a value`, `--${token.name} ${spec.value}${joined}`);
    }
    values[token.name] = token.value ?? true;
  }
  return new Values(values);
}

export function badOption(message: string, hint: string): UsageError {
  return new UsageError('BAD_OPTION', message, { hint });
}

/** Whether what was taken for the value of an option is the option after it. */
function isNextOption({ value, inlineValue }: { readonly value?: string; readonly inlineValue?: boolean }): boolean {
  return inlineValue === false && value?.startsWith('--') === true;
}

/** `--seed -1` as `--seed=-1`, so that -1 reads as the value and can be refused as one. */
function joinNegative(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    const isValue = /^-[\d.]/.test(arg) && last?.startsWith('--') && !last.includes('=');
    if (isValue) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}
