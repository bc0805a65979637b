import { profile, webgpu } from '@receptance/backend-webgpu';
import { detectModel, greedyGraph, logitsGraph } from '@receptance/core';
import type { Surroundings } from '../measure/plan.ts';
import { heldAs } from '../models/held-as.ts';
import { openModel } from '../models/source.ts';
import { bound } from '../ops/graph-timer.ts';
import { type BenchValues, badOption, listOf, weightName, whole } from '../options.ts';
import { profileLines } from '../report/profile.ts';

/** Prints where the time of a token, or of reading a prompt, goes on the GPU: timed by the GPU itself, dispatch by dispatch. */
export async function profileModels(values: BenchValues, { seed, status, signal }: Surroundings): Promise<void> {
  if ((values.backend ?? 'webgpu') !== 'webgpu') {
    throw badOption(`--profile is given with --backend ${values.backend}`, 'dispatches are timed on webgpu alone');
  }
  const runs = whole('--repeats', values.repeats ?? '5');
  const tokens = whole('--prompt', values.prompt ?? '1');
  const weights = values.weights === undefined ? undefined : weightName(values.weights);
  const device = await webgpu({ selfTest: false }).open();
  const reports: unknown[] = [];
  try {
    for (const name of listOf(values.model ?? 'stories')) {
      const { source, close } = await openModel(name, seed);
      const held = heldAs(source, weights);
      const model = detectModel(held.tensors);
      const graph = tokens === 1 ? greedyGraph(model) : logitsGraph(model);
      const sizes = { N: tokens, S: 1, R: 1 };
      const parameters = await device.loadParameters(held, [graph], {
        limits: { Z: 1 },
        signal,
        onProgress: ({ what, done, total }) => status(`${name}: ${what} ${Math.floor((100 * done) / (total || 1))} %`),
      });
      await close();
      const executable = await device.compile(graph, parameters, sizes);
      status(`${name}: ${runs} runs`);
      const { bindings, free } = bound(device, graph, sizes);
      const found = await profile(device, executable, bindings, runs);
      status('');
      const title = { model: name, weights: weights ?? 'as stored', tokens };
      reports.push({ ...title, ...found });
      if (values.json !== '-') console.log(profileLines(title, found).join('\n'));
      free();
      executable.free();
      parameters.free();
    }
  } finally {
    await device.close();
  }
  if (values.json === '-') console.log(JSON.stringify(reports, null, 2));
  else if (values.json !== undefined) throw badOption('--profile writes no file', '--json - prints it');
}
