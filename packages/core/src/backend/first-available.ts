import { BackendUnavailableError } from '../errors.ts';
import type { Backend, Device, OpenOptions } from './contract.ts';

/**
 * The first of several backends that opens on this machine, as one backend.
 * @param onUnavailable hears why each before it did not: no GPU, a driver that computes wrong numbers
 * @throws when opened: the BackendUnavailableError of the last, with the reasons of all; any other error at once
 */
export function firstAvailable(
  backends: readonly Backend[],
  onUnavailable?: (error: BackendUnavailableError) => void,
): Backend {
  const names = backends.map(({ name }) => name).join(' or ');
  return {
    specVersion: 1,
    name: names,
    async open(options?: OpenOptions): Promise<Device> {
      const reasons: BackendUnavailableError[] = [];
      for (const backend of backends) {
        try {
          return await backend.open(options);
        } catch (error) {
          if (!isUnavailable(error)) throw error;
          reasons.push(error);
          onUnavailable?.(error);
        }
      }
      const [first, ...others] = reasons;
      if (first !== undefined && others.length === 0) throw first;
      const told = reasons.map(({ message }) => message).join('; ') || 'none was given';
      throw new BackendUnavailableError(names, told, {
        hint: reasons.at(-1)?.hint ?? 'give at least one backend',
      });
    },
  };
}

function isUnavailable(error: unknown): error is BackendUnavailableError {
  return BackendUnavailableError.isInstance(error) && error.code === 'BACKEND_UNAVAILABLE';
}
