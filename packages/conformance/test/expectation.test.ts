import { describe, expect, it } from 'vitest';
import { expectationOf } from '../src/expectation.ts';
import type { Status } from '../src/run-case.ts';

const check = { id: 'wkv7/f32/N=1', what: ['wkv7'] };

function kindOf(status: Status, required: readonly string[] = [], known?: string): string {
  return expectationOf(check, { id: check.id, status, reason: 'why' }, required, known).kind;
}

describe('what a test file makes of a result', () => {
  it('takes what passed and refuses what failed', () => {
    expect(kindOf('passed')).toBe('pass');
    expect(kindOf('failed')).toBe('fail');
  });

  it('shows the reason of what is unsupported, unless it is required', () => {
    const result = { id: check.id, status: 'unsupported', reason: 'mine: wkv7: no kernel' } as const;
    expect(expectationOf(check, result, [], undefined)).toEqual({ kind: 'skip', reason: 'mine: wkv7: no kernel' });
    for (const required of ['*', 'wkv7', 'wkv7/f32/']) expect(kindOf('unsupported', [required]), required).toBe('fail');
    expect(kindOf('unsupported', ['wkv4', 'linear'])).toBe('skip');
  });

  it('shows what is unknown', () => {
    expect(kindOf('unknown', ['*'])).toBe('skip');
  });

  it('lets a known failure fail, and nothing else', () => {
    expect(kindOf('failed', [], 'a bug of the driver')).toBe('skip');
    expect(kindOf('passed', [], 'a bug of the driver')).toBe('fail');
  });
});
