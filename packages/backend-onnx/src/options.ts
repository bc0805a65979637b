import { type KernelTable, ReceptanceError } from '@receptance/core';
import type { OnnxKernel } from './kernel.ts';
import type { Activations, Recurrence } from './lowering/lowering.ts';

export const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;
export type Provider = (typeof PROVIDERS)[number];

export interface OnnxOptions {
  /** What of ONNX Runtime computes. Default `cpu`. */
  readonly provider?: Provider;
  /** Threads of the CPU provider, and of no other; by default as many as there are cores, but no more than 8. */
  readonly threads?: number;
  /** How the memories of RWKV-5, 6 and 7 read several tokens. Default `attention`. */
  readonly recurrence?: Recurrence;
  /** How activations meet weights in blocks on the CPU provider, and on no other. Default `int8`. */
  readonly activations?: Activations;
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<OnnxKernel>;
  /** Where models and weights are kept while the device is open; by default the system's temporary folder. */
  readonly directory?: string;
  /** Options of ONNX Runtime's sessions beside those that the backend sets itself. */
  readonly session?: SessionSettings;
}

/** What ONNX Runtime would take, of which it would ignore anything else without a word. */
export interface SessionSettings {
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  readonly enableCpuMemArena?: boolean;
  readonly enableMemPattern?: boolean;
  /** 0 verbose … 4 fatal only. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  /** Whether threads wait in a loop for work, for some milliseconds: faster, but on a busy machine. Default true. */
  readonly spinning?: boolean;
}

const RECURRENCES: readonly Recurrence[] = ['scan', 'attention'];
const ACTIVATIONS: readonly Activations[] = ['exact', 'int8'];

const SETTINGS: { readonly [Name in keyof Required<SessionSettings>]: readonly unknown[] } = {
  graphOptimizationLevel: ['disabled', 'basic', 'extended', 'layout', 'all'],
  enableCpuMemArena: [true, false],
  enableMemPattern: [true, false],
  logSeverityLevel: [0, 1, 2, 3, 4],
  spinning: [true, false],
};

const OPTIONS: readonly (keyof OnnxOptions)[] = [
  'provider',
  'threads',
  'recurrence',
  'activations',
  'kernels',
  'directory',
  'session',
];

/** Those that say how the CPU computes. */
const CPU_OPTIONS = ['threads', 'activations'] as const satisfies readonly (keyof OnnxOptions)[];

/** @throws ReceptanceError `BAD_OPTION` for anything that would have no effect */
export function checkOptions(options: OnnxOptions): void {
  for (const name of Object.keys(options)) checkOneOf('option', name, OPTIONS);
  const { provider, threads, recurrence, activations, session = {} } = options;
  if (provider !== undefined) checkOneOf('provider', provider, PROVIDERS);
  if (recurrence !== undefined) checkOneOf('recurrence', recurrence, RECURRENCES);
  if (activations !== undefined) checkOneOf('way of activations', activations, ACTIVATIONS);
  for (const name of provider === undefined || provider === 'cpu' ? [] : CPU_OPTIONS) {
    if (options[name] === undefined) continue;
    throw bad(`${name} has no effect on the ${provider} provider`, 'leave it out, or use the cpu provider');
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw bad(`threads is ${threads}`, 'give a whole number from 1 to 1024');
  }
  for (const [name, value] of Object.entries(session)) {
    const values = Object.hasOwn(SETTINGS, name) ? SETTINGS[name as keyof SessionSettings] : undefined;
    if (values === undefined) {
      throw bad(
        `session has no setting ${name}, and ONNX Runtime would ignore it`,
        `there are ${Object.keys(SETTINGS).join(', ')}`,
      );
    }
    if (!values.includes(value)) throw bad(`session.${name} is ${value}`, `it is one of ${values.join(', ')}`);
  }
}

function checkOneOf(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw bad(`there is no ${what} ${value}`, `there are ${known.join(', ')}`);
}

function bad(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', message, { hint });
}
