import * as Plot from '@observablehq/plot';
import { MODELS } from '../src/models/registry.ts';
import { figuresOf } from '../src/report/page/plots.ts';
import { tableOf } from '../src/report/table.ts';
import { WEIGHT_NAMES, type WeightName } from '../src/runner/protocol.ts';
import { measureInPage } from './measure.ts';

const [form, models, types, button, download, status, plots, table] = [
  element('form', HTMLFormElement),
  element('select[name=model]', HTMLSelectElement),
  element('select[name=weights]', HTMLSelectElement),
  element('button', HTMLButtonElement),
  element('#download', HTMLElement),
  element('[role=status]', HTMLElement),
  element('#plots', HTMLElement),
  element('pre', HTMLElement),
];
models.append(...['stories', ...Object.keys(MODELS)].map((name) => new Option(name)));
types.append(...['as stored', ...WEIGHT_NAMES].map((name) => new Option(name)));
// `#rwkv7-0.1b,q8_0` chooses and begins.
const [chosenModel, chosenWeights] = decodeURIComponent(location.hash.slice(1)).split(',');
if (chosenModel) models.value = chosenModel;
if (chosenWeights) types.value = chosenWeights;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void measure();
});
if (chosenModel) void measure();

async function measure(): Promise<void> {
  button.disabled = true;
  try {
    const weights = WEIGHT_NAMES.find((name): name is WeightName => name === types.value);
    const report = await measureInPage({ model: models.value, weights }, (text) => {
      status.textContent = text;
    });
    table.textContent = tableOf(report);
    plots.replaceChildren(
      ...figuresOf(report).flatMap(({ title, caption, options }) => [
        text('h2', title),
        text('p', caption),
        Plot.plot(options),
      ]),
    );
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }));
    link.download = 'receptance-benchmark.json';
    link.textContent = 'Download the report';
    download.replaceChildren(link);
    table.hidden = false;
    status.textContent = 'done';
  } catch (error) {
    status.textContent = `failed: ${error instanceof Error ? error.message : error}`;
  } finally {
    button.disabled = false;
  }
}

function element<T extends Element>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${selector}`);
}

function text(tag: string, content: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  return made;
}
