import { parseArgs } from 'node:util';
import { badOption } from '../options.ts';
import { comparisonTable } from '../report/compare.ts';
import { readReport } from '../report/read.ts';

const HELP = `Ratios of two runs, with confidence.

  pnpm bench compare before.json after.json

A ratio above 1 is better: more tokens a second, less time, less memory. Its interval comes from resampling the samples of both runs; it does
not know of what differed between the runs for all samples alike, so compare runs of one quiet machine.`;

export async function compareCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(HELP);
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0) {
    throw badOption(
      `compare is given ${positionals.length} files`,
      'it takes two: the report before, the report after',
    );
  }
  console.log(comparisonTable(await readReport(before), await readReport(after)));
}
