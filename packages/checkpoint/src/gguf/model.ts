import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import type { StoredTensor } from '../checkpoint.ts';
import { partOf, reshaped, scaled, transposed } from '../derived.ts';
import { checkpointError, quote } from '../errors.ts';
import { badGguf } from './errors.ts';
import type { GgufHeader, PlacedTensor } from './header.ts';
import type { Metadata } from './metadata.ts';
import { type Architecture, BLOCK_RULES, MODEL_RULES, type Rule, UNUSED } from './names.ts';

/** In f32, as llama.cpp's converter writes it. The models have no other. */
const LAYER_NORM_EPS = Math.fround(1e-5);

interface Model {
  readonly file: string;
  readonly layers: number;
  readonly headSize: number;
  /** 0: nothing is rescaled. */
  readonly rescaleEvery: number;
  readonly rules: ReadonlyMap<string, Rule>;
}

/**
 * The tensors of a GGUF file under their official names and in their official form: the plain model, whatever was
 * fused, transposed or rescaled in the file.
 */
export function officialTensors(
  source: ByteSource,
  { metadata, tensors }: GgufHeader,
): ReadonlyMap<string, StoredTensor> {
  const model = modelOf(source.name, metadata);
  const stored = new Map<string, StoredTensor>();
  for (const [name, placed] of tensors) {
    if (UNUSED.test(name)) continue;
    for (const [official, tensor] of officialParts(model, name, asStored(source, placed))) {
      if (stored.has(official)) throw badGguf(source.name, `it has ${quote(official)} twice, once as ${quote(name)}`);
      stored.set(official, tensor);
    }
  }
  return stored;
}

function asStored(source: ByteSource, { info, start: base }: PlacedTensor): StoredTensor {
  return { info, read: (start, end, signal, into) => readExactly(source, base + start, base + end, signal, into) };
}

function modelOf(file: string, metadata: Metadata): Model {
  const architecture = metadata.get('general.architecture');
  if (architecture !== 'rwkv6' && architecture !== 'rwkv7') {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      file,
      typeof architecture === 'string' ? `is a model of architecture ${quote(architecture)}` : 'names no architecture',
      'GGUF files of the architectures rwkv6 and rwkv7 are read',
    );
  }
  const number = (key: string): number => wholeNumber(file, metadata, `${architecture}.${key}`);
  const eps = metadata.get(`${architecture}.attention.layer_norm_epsilon`) ?? LAYER_NORM_EPS;
  if (eps !== LAYER_NORM_EPS) {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      file,
      `has ${architecture}.attention.layer_norm_epsilon ${String(eps)}`,
      'models with the eps 1e-5 are read, which is that of all official ones',
    );
  }
  return {
    file,
    layers: number('block_count'),
    headSize: number('wkv.head_size'),
    rescaleEvery: metadata.has(`${architecture}.rescale_every_n_layers`) ? number('rescale_every_n_layers') : 0,
    rules: rulesOf(architecture),
  };
}

function rulesOf(architecture: Architecture): ReadonlyMap<string, Rule> {
  const blocks = BLOCK_RULES[architecture].map((rule) => [`blk.#.${rule.stored}`, rule] as const);
  return new Map([...MODEL_RULES.map((rule) => [rule.stored, rule] as const), ...blocks]);
}

function wholeNumber(file: string, metadata: Metadata, key: string): number {
  const value = metadata.get(key);
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw badGguf(file, `its metadata ${quote(key)} is ${value === undefined ? 'missing' : 'no whole number'}`);
}

function officialParts(model: Model, name: string, stored: StoredTensor): [string, StoredTensor][] {
  const layer = /^blk\.(0|[1-9]\d{0,5})\./.exec(name)?.[1];
  const rule = model.rules.get(layer === undefined ? name : name.replace(layer, '#'));
  if (rule === undefined || (layer !== undefined && Number(layer) >= model.layers)) {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      model.file,
      `has a tensor ${quote(name)}, which no model of its architecture and ${model.layers} blocks has`,
      'convert the model again with a current llama.cpp',
    );
  }
  const prefix = layer === undefined ? '' : `blocks.${layer}.`;
  const parts = partsOf(model, rule, name, stored);
  return rule.official.map((official, i): [string, StoredTensor] => {
    const part = parts[i];
    if (part === undefined) throw badShape(model, name, stored);
    return [`${prefix}${official}`, rescaled(model, `${prefix}${official}`, Number(layer ?? 0), part)];
  });
}

function partsOf(model: Model, { form, official }: Rule, name: string, stored: StoredTensor): StoredTensor[] {
  const { shape } = stored.info;
  const elements = shape.reduce((product, size) => product * size, 1);
  const row = shape.at(-1) ?? 0;
  const count = official.length;
  switch (form) {
    case 'matrix':
      if (shape.length === 2) return [stored];
      break;
    case 'vector':
      if (shape.length === 1) return [stored];
      break;
    case 'channels':
      if (row === elements) return [reshaped(stored, [1, 1, row])];
      break;
    case 'fused':
      if (shape[0] !== count || elements !== count * row) break;
      return official.map((_, i) => partOf(stored, i, count, [1, 1, row]));
    case 'lora':
      if (shape.length === 2 || shape.length === 3) return [transposed(stored)];
      break;
    case 'heads':
      if (model.headSize > 0 && elements % model.headSize === 0 && (row === elements || row === model.headSize)) {
        return [reshaped(stored, [elements / model.headSize, model.headSize])];
      }
  }
  throw badShape(model, name, stored);
}

/** llama.cpp halves x after every n-th layer, and these matrices with it: doubled again, they are the plain model's. */
function rescaled({ file, rescaleEvery }: Model, official: string, layer: number, stored: StoredTensor): StoredTensor {
  if (rescaleEvery === 0 || !/\.(?:att\.output|ffn\.value)\.weight$/.test(official)) return stored;
  return scaled(file, official, stored, Math.floor(layer / rescaleEvery));
}

function badShape({ file }: Model, name: string, { info }: StoredTensor): Error {
  return checkpointError(
    'BAD_TENSOR',
    file,
    `tensor ${quote(name)} cannot have the shape [${info.shape}]`,
    'the file is broken, or was written by a faulty program: write or fetch it again',
  );
}
