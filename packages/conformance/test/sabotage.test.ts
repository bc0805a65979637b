import { reference } from '@receptance/backend-reference';
import { definitionOf, ops } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { sabotages } from '../src/sabotage/index.ts';
import { opChecks } from '../src/suite.ts';

describe('every mistake made on purpose is noticed', async () => {
  const own = await reference().open();
  const checks = opChecks();

  it.each(sabotages.map((sabotage) => [sabotage.op, sabotage.name, sabotage] as const))(
    '%s: %s',
    async (op, _, sabotage) => {
      const places = sabotage.noticedBy ?? [`${op}/`];
      const device = await sabotage.backend.open();
      const noticing = checks.filter(({ id }) => places.some((place) => id.startsWith(place)));
      expect(noticing.length).toBeGreaterThan(0);
      const reasons: string[] = [];
      for (const check of noticing) {
        const { status, reason } = await check.run(device, { reference: own });
        if (status === 'failed') reasons.push(reason ?? '');
        if (reasons.length > 0) break;
      }
      expect(reasons[0], 'all checks pass').toMatch(/NMSE|not written|is not finite|margin|run again/);
    },
  );

  it('is made for every op', () => {
    const sabotaged = new Set<string>(sabotages.map(({ op }) => op));
    const leaves = ['input', 'parameter', 'variable'];
    const untouched = Object.keys(ops).filter((op) => !sabotaged.has(op) && !leaves.includes(op));
    expect(untouched).toEqual([]);
  });

  it('every op has cases of its own', () => {
    const missing = Object.keys(ops).filter((op) => {
      const shown = definitionOf(op).kind === 'leaf' && !['full', 'constant'].includes(op);
      return !shown && !checks.some(({ what, id }) => what.includes(op) || id.startsWith(`${op}/`));
    });
    expect(missing).toEqual([]);
  });
});
