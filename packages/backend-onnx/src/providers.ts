import type { DataFile } from './lowering/stored.ts';
import type { Provider, SessionSettings } from './options.ts';
import type { SessionOptions } from './worker/messages.ts';

/** @throws BackendUnavailableError */
export function checkProvider(_provider: Provider, _there: readonly string[]): void {}

/** What sessions of a device are opened with. */
export function sessionOptions(
  provider: Provider,
  threads: number,
  { spinning = false, ...settings }: SessionSettings,
  data: DataFile,
): SessionOptions {
  const hasBlocks = [...data.tensors.values()].some(({ kind }) => kind === 'blocks');
  return {
    logSeverityLevel: 3,
    ...settings,
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: {
      session: {
        intra_op: { allow_spinning: spinning ? '1' : '0' },
        // Weights are used where they are mapped. Only blocks must be laid out anew to be multiplied fast.
        disable_prepacking: hasBlocks ? '0' : '1',
        ...(provider === 'webgpu' ? { disable_cpu_ep_fallback: '1' } : {}),
      },
    },
  };
}
