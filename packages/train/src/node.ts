export { documents, type Piece, type TextFile, textFiles } from './node/documents.ts';
export { type LogLine, TrainingFolder } from './node/folder.ts';
export { openTokens, type PrepareOptions, prepareTokens, type TokenFile } from './node/token-file.ts';
