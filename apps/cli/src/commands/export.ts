import { openCheckpointFile } from '@receptance/checkpoint/node';
import { storiesModel } from '@receptance/model-stories';
import { type Command, command } from '../command.ts';
import { MODEL_OPTIONS } from '../model.ts';
import { badOption, COMMON } from '../options.ts';

const QUANTS = ['q8_0', 'q4_0'] as const;

const options = {
  model: MODEL_OPTIONS.model,
  out: { value: 'DIR', help: 'the folder to write: three models over one file of weights, a README, a Python script' },
  quant: { value: 'TYPE', help: `quantise the big matrices: ${QUANTS.join(', ')} (default: as they are stored)` },
  'opset-only': { help: 'ops of the ONNX standard alone, so that any runtime takes the files' },
  opset: { value: 'N', help: 'version of the standard: 18 to 23 (default: 21)' },
  force: { help: 'replace OUT when it is there, and holds nothing but an export' },
  ...COMMON,
} as const;

export const exportCommand: Command = command({
  name: 'export',
  summary: 'Writes a checkpoint as ONNX models that run in any ONNX runtime.',
  usage: '[--model IN] --out DIR [--quant TYPE] [--opset-only] [--force]',
  options,
  examples: [
    ['export --model model.pth --out model-onnx', 'then: python model-onnx/run.py 65 66 67'],
    ['export --model model.pth --out model-onnx --quant q8_0', 'big matrices in blocks, for ONNX Runtime'],
    ['export --model model.gguf --out model-onnx --opset-only', 'for any other runtime, too'],
  ],
  async run(values, terminal) {
    const out = values.required('out');
    const quant = quantOf(values.text('quant'));
    const force = values.flag('force');
    const { exportOnnx } = await import('@receptance/backend-onnx');
    const { signal, onProgress } = terminal;
    const path = values.text('model');
    const checkpoint = await openCheckpointFile(path ?? storiesModel, { signal });
    try {
      const eps = Number(checkpoint.metadata['groupNormEps'] ?? Number.NaN);
      const settings = { quant, standard: values.flag('opset-only'), opset: values.integer('opset'), force };
      const norm = eps > 0 ? { groupNormEps: eps } : {};
      const made = await exportOnnx(checkpoint, out, { ...settings, ...norm, signal, onProgress });
      if (terminal.json) terminal.writeJson({ model: path ?? 'stories', out, ...made });
      else terminal.note(`${out}: ${Object.keys(made.files).join(', ')}; ${megabytes(made.files)}`);
      return 0;
    } finally {
      await checkpoint.close();
    }
  },
});

function quantOf(text: string | undefined): (typeof QUANTS)[number] | undefined {
  const quant = QUANTS.find((each) => each === text);
  if (text === undefined || quant !== undefined) return quant;
  throw badOption(`--quant ${text} is no type of blocks`, `types are ${QUANTS.join(', ')}`);
}

function megabytes(files: Readonly<Record<string, number>>): string {
  const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
