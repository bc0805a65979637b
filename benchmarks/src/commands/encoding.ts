import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { alignedRows } from '../report/text.ts';
import { type EncodingFigures, type EncodingTime, LAYERS, measureEncoding, STEPS } from '../webgpu/encoding.ts';
import { inChromium } from '../webgpu/in-chromium.ts';

const HELP = `What the host pays for a token that WebGPU decodes: dispatches, and the time to encode and submit them.

  pnpm bench encoding                 in Node, and in Chromium where there is one
  pnpm bench encoding --browser PATH  in that Chromium (default: /usr/bin/chromium)
  pnpm bench encoding --adapter NAME  Chromium's software adapter, e.g. swiftshader, where there is no GPU

The model has ${LAYERS} layers and is narrow, so that nothing is waited for. In Node on a machine without a GPU set VK_ICD_FILENAMES.`;

export async function encodingCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      browser: { type: 'string', default: '/usr/bin/chromium' },
      adapter: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const all: { engine: string; figures: EncodingFigures }[] = [];
  all.push({ engine: `Node ${process.version}`, figures: await measureEncoding() });
  if (existsSync(values.browser)) {
    const { engine, figures } = await inChromium(values.browser, 'encoding.html', values.adapter);
    all.push({ engine, figures: figures as EncodingFigures });
  }
  if (values.json) return console.log(JSON.stringify(all, null, 2));
  const heads = ['', 'dispatches', 'a layer', `ms a token, ${STEPS} a run`, 'best', 'one a run', 'best', 'adapter'];
  console.log(`WebGPU's encoding of a token, RWKV-7 of ${LAYERS} layers`);
  console.log(alignedRows([heads, ...all.map(rowOf)]).join('\n'));
  // Dawn may crash a process that ends by itself.
  process.exit(0);
}

function rowOf({ engine, figures }: { engine: string; figures: EncodingFigures }): string[] {
  const { dispatches, together, alone, adapter } = figures;
  const times = ({ median, best }: EncodingTime): string[] => [median.toFixed(3), best.toFixed(3)];
  return [engine, String(dispatches), (dispatches / LAYERS).toFixed(1), ...times(together), ...times(alone), adapter];
}
