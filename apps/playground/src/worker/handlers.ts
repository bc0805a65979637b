import { KeptTexts } from './kept-texts.ts';
import { Models } from './models.ts';
import type { Api, ApiName } from './protocol.ts';
import { ModelStore } from './store.ts';
import { Texts } from './texts.ts';
import type { Training } from './training.ts';
import { verdicts } from './verdicts.ts';

export interface Context<Event> {
  readonly emit: (event: Event) => void;
  readonly signal: AbortSignal;
}

export type Handlers = {
  readonly [Name in ApiName]: (
    request: Api[Name]['request'],
    context: Context<Api[Name]['event']>,
  ) => Promise<Api[Name]['result']>;
};

const store = new ModelStore();
const models = new Models(store);
const texts = new Texts(models, new KeptTexts());
/** A chunk of its own, for who trains. */
let training: Promise<Training> | undefined;

function trainingOf(): Promise<Training> {
  training ??= import('./training.ts').then(({ Training: Made }) => new Made(models));
  return training;
}

export const handlers: Handlers = {
  open: (request, context) => models.open(request, context),
  verdicts: (_, { emit }) => verdicts(emit),
  generate: (request, context) => texts.generate(request, context),
  remember: (step) => texts.remember(step),
  recall: (fingerprint) => texts.recall(fingerprint),
  forget: (nodes) => texts.forget(nodes),
  exportState: (node) => texts.exportState(node),
  importState: ({ file, to }) => texts.importState(file, to),
  stored: () => store.report(),
  download: (request, context) => store.download(request, context),
  keep: ({ file, vocabulary }, context) => store.keep(file, vocabulary, context),
  verify: (id, context) => store.verify(id, context),
  remove: (id) => store.remove(id),
  trace: (request) => texts.trace(request),
  train: async (request, context) => (await trainingOf()).run(request, context),
  trained: async () => (await trainingOf()).weights(),
  endTraining: async () => (await trainingOf()).end(),
  contexts: async (lengths, context) => {
    const { measureContexts } = await import('./contexts.ts');
    return measureContexts(models.current, lengths, context);
  },
};
