import type { Check } from './check.ts';
import type { CaseResult } from './run-case.ts';

/** What a test runner is to do with a result. */
export type Expectation =
  | { readonly kind: 'pass' }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string };

/**
 * Holds a result against what a backend's test file says of it.
 * @param required op names, beginnings of ids, or `*`: what must not be unsupported
 * @param known why it is known to fail
 */
export function expectationOf(
  check: Pick<Check, 'id' | 'what'>,
  { status, reason = status }: CaseResult,
  required: readonly string[],
  known: string | undefined,
): Expectation {
  if (known !== undefined) {
    return status === 'passed'
      ? { kind: 'fail', reason: `passes, but is a known failure (${known}): take it off the list` }
      : { kind: 'skip', reason: `known failure: ${known}` };
  }
  if (status === 'passed') return { kind: 'pass' };
  if (status === 'unknown') return { kind: 'skip', reason };
  const isRequired = required.some((name) => name === '*' || check.id.startsWith(name) || check.what.includes(name));
  if (status === 'unsupported' && !isRequired) return { kind: 'skip', reason };
  return { kind: 'fail', reason: `${status}: ${reason}` };
}
