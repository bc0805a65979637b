import { wasm } from '@receptance/backend-wasm';
import { storiesModel } from '@receptance/model-stories';
import { load } from 'receptance';

const response = await fetch(storiesModel);
const model = await load(await response.blob(), { backend: wasm() });
const session = await model.session();
for await (const { text } of session.generate({ prompt: 'Once upon a time', maxTokens: 60, greedy: true })) {
  document.body.append(text);
}
await model.close();
document.title = 'told';
