import './styles/base.css';
import './styles/app.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { registerServiceWorker } from './client/service-worker.ts';
import { model, openModel } from './store/model.ts';
import { goOn, recall, trees } from './store/texts.ts';
import { text } from './text.ts';

const root = document.querySelector('#app');
if (root === null) throw new Error('the page has no #app');
root.replaceChildren();
render(<App />, root);
void begin();
registerServiceWorker();

/** The first text comes by itself, so that one sees at once what this is. */
async function begin(): Promise<void> {
  await openModel({ model: { kind: 'bundled' }, backend: 'auto' }, text.models.bundled);
  await recall();
  const untouched = trees.write.value.nodes.size === 0 && ['', '#write'].includes(location.hash);
  if (model.value !== undefined && untouched) await goOn('write', undefined, text.composer.first.write);
}
