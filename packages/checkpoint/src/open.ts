import type { ByteSource } from './byte-source.ts';
import { readExactly } from './byte-source.ts';
import type { Checkpoint, OpenOptions } from './checkpoint.ts';
import { closingOnError } from './checkpoint.ts';
import { checkpointError } from './errors.ts';
import { openGguf } from './gguf/open.ts';
import { withOfficialNames } from './huggingface/official.ts';
import { openPth } from './pth/open.ts';
import { openSafetensors } from './safetensors/open.ts';
import { closingIfRefused } from './safetensors/shards.ts';

const LONGEST_MAGIC = 64;

/** What files that are no checkpoint, or none that can be read, begin with. */
const REFUSED: readonly { readonly starts: string; readonly what: string; readonly hint: string }[] = [
  {
    // The pickled magic number of torch.save before its zip format (PyTorch 1.6).
    starts: '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e',
    what: 'is in the old torch.save format, which is not a zip file',
    hint: 'save it again: torch.save(torch.load("old.pth", map_location="cpu", weights_only=True), "new.pth")',
  },
  {
    starts: 'version https://git-lfs',
    what: 'is a Git LFS pointer, not the file itself',
    hint: 'run `git lfs pull`, or download the file itself',
  },
];

/**
 * Opens a checkpoint of any known format. The format is told from the content, never from the name. Tensors under Hugging
 * Face's names come under the official ones.
 * The source now belongs to the checkpoint: `close()` closes it, and so does a failure to open.
 *
 * @throws ReceptanceError `NOT_A_CHECKPOINT`, `UNSUPPORTED_FORMAT`, or what the format's reader throws.
 */
export async function openCheckpoint(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const open = await closingOnError(source, () => detect(source, options));
  const checkpoint = await open(source, options);
  return closingIfRefused(checkpoint, () => withOfficialNames(source.name, checkpoint));
}

async function detect(source: ByteSource, { signal }: OpenOptions): Promise<typeof openPth> {
  const head = await readExactly(source, 0, Math.min(LONGEST_MAGIC, source.size), signal);
  const text = String.fromCharCode(...head);
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return openPth;
  if (text.startsWith('GGUF')) return openGguf;
  for (const { starts, what, hint } of REFUSED) {
    if (text.startsWith(starts)) {
      const code = starts.startsWith('version') ? 'NOT_A_CHECKPOINT' : 'UNSUPPORTED_FORMAT';
      throw checkpointError(code, source.name, what, hint);
    }
  }
  // Eight bytes of length, then JSON.
  if (text[8] === '{') return openSafetensors;
  if (/^\s*</.test(text)) {
    throw checkpointError(
      'NOT_A_CHECKPOINT',
      source.name,
      'is a web page, not a checkpoint',
      'download the file itself, not the page about it',
    );
  }
  if (isPickle(head)) {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      source.name,
      'is a bare Python pickle',
      'save the weights with torch.save(state_dict, "model.pth")',
    );
  }
  throw checkpointError(
    'NOT_A_CHECKPOINT',
    source.name,
    source.size === 0 ? 'is empty' : 'is no .safetensors, .pth or .gguf file',
    'give a .safetensors or .gguf file, or a .pth file as torch.save writes it',
  );
}

/** A pickle of protocol 2 to 5 begins with the opcode PROTO. */
function isPickle([opcode = 0, protocol = 0]: Uint8Array): boolean {
  return opcode === 0x80 && protocol >= 2 && protocol <= 5;
}
