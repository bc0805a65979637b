import { wasm } from '@receptance/backend-wasm';
import { storiesModel } from '@receptance/model-stories';
import { loadFile } from 'receptance/node';

const model = await loadFile(storiesModel, { backend: wasm() });
const session = await model.session();
for await (const { text } of session.generate({ prompt: 'Once upon a time', maxTokens: 60, greedy: true })) {
  process.stdout.write(text);
}
await model.close();
