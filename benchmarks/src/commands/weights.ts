import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { weightsFile } from '../models/files.ts';
import { MODELS } from '../models/registry.ts';
import { badOption, cacheFolder, listOf, weightName, whole } from '../options.ts';

const HELP = `Writes models of official sizes with random weights, the same for the same seed.

  pnpm bench weights --model 0.1b --weights f16 --out folder
  pnpm bench weights --model rwkv4-169m --weights f32,f16 --format safetensors

  --model LIST    ${Object.keys(MODELS).join(', ')}; a size alone is of the newest version
  --weights LIST  of the big matrices: f32, f16, bf16 (.safetensors), q8_0, q4_0 (.gguf) (default: f16)
  --format NAME   safetensors or gguf (versions 6 and 7) (default: what fits)
  --out DIR       (default: the cache of the benchmarks)
  --seed N        (default: 1)`;

export async function weightsCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      weights: { type: 'string', default: 'f16' },
      format: { type: 'string' },
      out: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { format } = values;
  if (values.model === undefined) throw badOption('no --model is given', 'see pnpm bench weights --help');
  if (format !== undefined && format !== 'safetensors' && format !== 'gguf') {
    throw badOption(`--format is ${format}`, 'it must be safetensors or gguf');
  }
  for (const model of listOf(values.model)) {
    for (const weights of listOf(values.weights).map(weightName)) {
      const inBlocks = weights === 'q8_0' || weights === 'q4_0';
      const options = { model, weights, seed: whole('--seed', values.seed, 0), folder: cacheFolder(values.out) };
      const path = await weightsFile({ ...options, format: format ?? (inBlocks ? 'gguf' : 'safetensors') });
      console.log(`${path}: ${((await stat(path)).size / 1e6).toFixed(1)} MB`);
    }
  }
}
