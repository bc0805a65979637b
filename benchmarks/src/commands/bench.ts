import { writeFile } from 'node:fs/promises';
import type { Surroundings } from '../measure/plan.ts';
import { runBenchmarks } from '../measure/run.ts';
import { type BenchValues, badOption, cacheFolder, HELP, parseBench, plansOf, whole } from '../options.ts';
import { peersFolder } from '../peers/peers.ts';
import { pageOf } from '../report/page/page.ts';
import { tableOf } from '../report/table.ts';
import { compareKernels } from './kernel.ts';
import { profileModels } from './profile.ts';

export async function benchCommand(args: readonly string[]): Promise<void> {
  const values = parseBench(args);
  if (values.help) return console.log(HELP);
  const surroundings = surroundingsOf(values);
  if (values.profile) return profileModels(values, surroundings);
  if (values.op !== undefined) return compareKernels(values.op, values, surroundings);
  if (values.kernel !== undefined) throw badOption('--kernel is given without --op', 'name the op: --op wkv7');
  const report = await runBenchmarks(plansOf(values), surroundings);
  surroundings.status('');
  const json = JSON.stringify(report, null, 2);
  if (values.json !== undefined && values.json !== '-') await writeFile(values.json, `${json}\n`);
  if (values.html !== undefined) await writeFile(values.html, pageOf(report));
  console.log(values.json === '-' ? json : tableOf(report));
}

function surroundingsOf(values: BenchValues): Surroundings {
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort(new Error('interrupted')));
  return {
    seed: whole('--seed', values.seed, 0),
    peersFolder: peersFolder(values['peers-folder']),
    cache: cacheFolder(values.cache),
    signal: stopping.signal,
    status(text) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
    },
  };
}
