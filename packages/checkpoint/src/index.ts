export { type ByteSource, blobSource, bytesSource } from './byte-source.ts';
export type { Checkpoint, CheckpointFormat, OpenOptions, Vocabulary } from './checkpoint.ts';
export type { CheckpointErrorCode } from './errors.ts';
export { openGguf } from './gguf/open.ts';
export { openCheckpoint } from './open.ts';
export { openPth } from './pth/open.ts';
export { openSafetensors } from './safetensors/open.ts';
export { type FolderResolver, openShards } from './safetensors/shards.ts';
export { type TensorToWrite, writeSafetensors } from './safetensors/write.ts';
