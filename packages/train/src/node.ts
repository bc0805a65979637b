export { type LogLine, TrainingFolder } from './node/folder.ts';
export { openTokens, type PrepareOptions, prepareTokens, type TokenFile } from './node/token-file.ts';
