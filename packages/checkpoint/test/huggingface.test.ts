import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectModel, ReceptanceError } from '@receptance/core';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource, Checkpoint, TensorToWrite } from '../src/index.ts';
import { bytesSource, openShards, writeSafetensors } from '../src/index.ts';
import { openCheckpointFile } from '../src/node.ts';
import { openBytes, refusal } from './support/sources.ts';
import { utf8 } from './support/zip.ts';

const models = fileURLToPath(new URL('../../conformance/golden/models/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => rmSync(work, { recursive: true }));

async function expectSame(a: Checkpoint, b: Checkpoint): Promise<void> {
  expect(new Map([...a.tensors].sort())).toEqual(new Map([...b.tensors].sort()));
  for (const name of a.tensors.keys()) expect(Buffer.compare(await a.read(name), await b.read(name)), name).toBe(0);
}

async function tensorsOf(name: string): Promise<TensorToWrite[]> {
  const checkpoint = await openCheckpointFile(models + name);
  const tensors: TensorToWrite[] = [];
  for (const [tensor, { dtype, shape }] of checkpoint.tensors) {
    tensors.push({ name: tensor, dtype, shape, data: await checkpoint.read(tensor) });
  }
  await checkpoint.close();
  return tensors;
}

describe('RWKV-4 of Transformers', () => {
  it.each(['rwkv4_l3_c64_v97_hf', 'rwkv4_l3_c64_v97_hf/model.safetensors'])(
    'is read under the official names: %s',
    async (path) => {
      const huggingFace = await openCheckpointFile(models + path);
      const official = await openCheckpointFile(`${models}rwkv4_l3_c64_v97.safetensors`);
      await expectSame(huggingFace, official);
      expect(detectModel(huggingFace.tensors).architecture).toBe('rwkv4');
      expect(huggingFace.metadata).toEqual({ format: 'pt' });
      await Promise.all([huggingFace.close(), official.close()]);
      expect(await refusal(huggingFace.read('emb.weight'))).toMatchObject({ code: 'CLOSED' });
    },
  );

  it('with a tensor that the model does not have is refused, and closed', async () => {
    let closed = 0;
    const bytes = writeSafetensors([
      { name: 'rwkv.embeddings.weight', dtype: 'f32', shape: [1, 1], data: new Uint8Array(4) },
      { name: 'rwkv.blocks.0.attention.other', dtype: 'f32', shape: [1], data: new Uint8Array(4) },
    ]);
    const source: ByteSource = { ...bytesSource(bytes, 'hf'), close: async () => void closed++ };
    const error = await refusal(openShards(async (name) => (name === 'model.safetensors' ? source : undefined)));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_FORMAT', message: expect.stringContaining('attention.other') });
    expect(closed).toBe(1);
  });
});

/** Rows and columns exchanged, of f32. */
function exchanged({ shape, data }: TensorToWrite): Pick<TensorToWrite, 'shape' | 'data'> {
  const [rows = 0, columns = 0] = shape;
  const numbers = new Uint32Array(data.slice().buffer);
  const out = Uint32Array.from(
    { length: numbers.length },
    (_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
  return { shape: [columns, rows], data: new Uint8Array(out.buffer) };
}

/** The official tensors of a model of version 7 as flash-linear-attention names and stores them. */
function toFla(tensors: readonly TensorToWrite[]): TensorToWrite[] {
  return tensors.flatMap((tensor): TensorToWrite[] => {
    const { name } = tensor;
    if (/^blocks\.0\.att\.v[012]$/.test(name)) return [];
    const [, layer = '', rest = ''] = /^blocks\.(\d+)\.(.*)$/.exec(name) ?? [];
    if (layer === '') {
      const whole = { 'emb.weight': 'model.embeddings.weight', 'head.weight': 'lm_head.weight' };
      return [
        {
          ...tensor,
          name: Object.entries(whole).find(([key]) => key === name)?.[1] ?? name.replace('ln_out', 'model.norm'),
        },
      ];
    }
    const block = `model.layers.${layer}.`;
    const [, lora = '', part = ''] = /^att\.([wavg])([012])$/.exec(rest) ?? [];
    if (part === '0')
      return [{ ...tensor, name: `${block}attn.${lora}_lora.lora.2.bias`, shape: [tensor.shape.at(-1) ?? 0] }];
    if (part !== '') {
      return [
        { ...tensor, ...exchanged(tensor), name: `${block}attn.${lora}_lora.lora.${part === '1' ? 0 : 2}.weight` },
      ];
    }
    const renamed = rest
      .replace(/^ln0/, 'pre_norm')
      .replace(/^ln1/, 'attn_norm')
      .replace(/^ln2/, 'ffn_norm')
      .replace(/^att\.ln_x/, 'attn.g_norm')
      .replace(/^att\.(r|k|v|o)(?:eceptance|ey|alue|utput)\./, 'attn.$1_proj.')
      .replace(/^att\./, 'attn.');
    return [{ ...tensor, name: block + renamed }];
  });
}

describe('RWKV-7 of flash-linear-attention', () => {
  it('is read under the official names and in the official form', async () => {
    const tensors = await tensorsOf('rwkv7_l2_c128_v97.safetensors');
    const fla = toFla(tensors);
    expect(fla.map(({ name }) => name)).toContain('model.layers.1.attn.v_lora.lora.0.weight');
    expect(fla.map(({ name }) => name)).toContain('model.layers.1.attn.o_proj.weight');
    const checkpoint = await openBytes(writeSafetensors(fla));
    const official = tensors.filter(({ name }) => !/^blocks\.0\.att\.v[012]$/.test(name));
    await expectSame(checkpoint, await openBytes(writeSafetensors(official)));
    expect(checkpoint.metadata['groupNormEps']).toBe('0.00064');
    expect(detectModel(checkpoint.tensors).architecture).toBe('rwkv7');
  });

  it('may have its mixes in one tensor', async () => {
    const fla = toFla(await tensorsOf('rwkv7_l2_c128_v97.safetensors'));
    const mixes = ['r', 'w', 'k', 'v', 'a', 'g'].map((c) =>
      fla.find(({ name }) => name === `model.layers.1.attn.x_${c}`),
    );
    const data = Uint8Array.from(mixes.flatMap((mix) => [...(mix?.data ?? [])]));
    const others = fla.filter(({ name }) => !name.startsWith('model.layers.1.attn.x_'));
    const name = 'model.layers.1.attn.x_x';
    const fused = await openBytes(writeSafetensors([...others, { name, dtype: 'f32', shape: [6, 128], data }]));
    await expectSame(fused, await openBytes(writeSafetensors(fla)));
    const bad = writeSafetensors([...others, { name, dtype: 'f32', shape: [5, 128], data: data.subarray(512) }]);
    expect(await refusal(openBytes(bad))).toMatchObject({ code: 'BAD_TENSOR' });
  });
});

const first = writeSafetensors([{ name: 'a', dtype: 'f32', shape: [1], data: Uint8Array.of(1, 2, 3, 4) }], { x: 'y' });
const second = writeSafetensors([{ name: 'b', dtype: 'f16', shape: [1], data: Uint8Array.of(5, 6) }]);
const INDEX = 'model.safetensors.index.json';

function folder(files: Record<string, string | Uint8Array>) {
  const open = new Set<string>();
  const resolve = async (name: string): Promise<ByteSource | undefined> => {
    const content = files[name];
    if (content === undefined) return undefined;
    open.add(name);
    const bytes = typeof content === 'string' ? Uint8Array.from(utf8(content)) : content;
    return { ...bytesSource(bytes, name), close: async () => void open.delete(name) };
  };
  return { open, resolve };
}

function index(map: Record<string, unknown>): string {
  return JSON.stringify({ metadata: { total_size: 6 }, weight_map: map });
}

describe('shards', () => {
  it('are one checkpoint', async () => {
    const { open, resolve } = folder({
      [INDEX]: index({ a: '1.safetensors', b: '2.safetensors' }),
      '1.safetensors': first,
      '2.safetensors': second,
    });
    const checkpoint = await openShards(resolve);
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b']);
    expect(await checkpoint.read('b')).toEqual(Uint8Array.of(5, 6));
    expect(await checkpoint.read('a', { start: 1, end: 3 })).toEqual(Uint8Array.of(2, 3));
    expect(checkpoint.metadata).toEqual({ x: 'y' });
    expect([...open]).toEqual(['1.safetensors', '2.safetensors']);
    await checkpoint.close();
    expect(open.size).toBe(0);
  });

  it.each<[string, Record<string, string | Uint8Array>, string, RegExp]>([
    ['nothing', {}, 'FILE_NOT_FOUND', /model\.safetensors/],
    [
      'a missing shard',
      { [INDEX]: index({ a: '1.safetensors', b: '2.safetensors' }), '1.safetensors': first },
      'FILE_NOT_FOUND',
      /2\.safetensors/,
    ],
    [
      'a tensor in no shard',
      { [INDEX]: index({ a: '1.safetensors', c: '1.safetensors' }), '1.safetensors': first },
      'BAD_HEADER',
      /"c" is not in 1\.safetensors/,
    ],
    [
      'a tensor not in the index',
      {
        [INDEX]: index({ a: '1.safetensors', b: '2.safetensors' }),
        '1.safetensors': first,
        '2.safetensors': writeSafetensors([
          { name: 'b', dtype: 'f16', shape: [1], data: Uint8Array.of(5, 6) },
          { name: 'c', dtype: 'f16', shape: [0], data: new Uint8Array() },
        ]),
      },
      'BAD_HEADER',
      /"c"/,
    ],
    ['a shard outside the folder', { [INDEX]: index({ a: '../1.safetensors' }) }, 'BAD_HEADER', /"a"/],
    ['a shard that is no name', { [INDEX]: index({ a: 1 }) }, 'BAD_HEADER', /"a"/],
    ['an index without a map', { [INDEX]: '{}' }, 'BAD_HEADER', /weight_map/],
    ['an index that is no JSON', { [INDEX]: '{' }, 'BAD_HEADER', /JSON/],
    [
      'a broken shard',
      { [INDEX]: index({ a: '1.safetensors' }), '1.safetensors': first.subarray(0, 20) },
      'TRUNCATED_FILE',
      /1\.safetensors/,
    ],
    ['a config that is no object', { 'config.json': '[]', 'model.safetensors': first }, 'BAD_HEADER', /config\.json/],
    [
      'a config with an eps that is none',
      { 'config.json': '{"norm_eps":"x"}', 'model.safetensors': first },
      'BAD_HEADER',
      /eps/,
    ],
  ])('with %s are refused, and everything is closed', async (_what, files, code, message) => {
    const { open, resolve } = folder(files);
    const error = await refusal(openShards(resolve));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    expect(open.size).toBe(0);
  });

  it('in a folder on disk are opened by the folder or by the index', async () => {
    writeFileSync(join(work, INDEX), index({ a: '1.safetensors', b: '2.safetensors' }));
    writeFileSync(join(work, '1.safetensors'), first);
    writeFileSync(join(work, '2.safetensors'), second);
    copyFileSync(`${models}rwkv4_l3_c64_v97_hf/config.json`, join(work, 'config.json'));
    for (const path of [work, join(work, INDEX)]) {
      const checkpoint = await openCheckpointFile(path);
      expect(checkpoint.tensors.size).toBe(2);
      await checkpoint.close();
    }
  });

  it('are those of the index whose path is given, whatever else the folder has', async () => {
    const name = 'model.fp16.safetensors.index.json';
    writeFileSync(join(work, 'model.safetensors'), first);
    writeFileSync(join(work, name), index({ b: '2.safetensors' }));
    writeFileSync(join(work, '2.safetensors'), second);
    const checkpoint = await openCheckpointFile(join(work, name));
    expect([...checkpoint.tensors.keys()]).toEqual(['b']);
    await checkpoint.close();
    const error = await refusal(openCheckpointFile(join(work, 'other.safetensors.index.json')));
    expect(error).toMatchObject({ code: 'FILE_NOT_FOUND', hint: expect.any(String) });
    expect(error.message).toContain('other.safetensors.index.json');
    await (await openCheckpointFile(work)).close();
    rmSync(join(work, 'model.safetensors'));
  });

  it('take another eps and tied embeddings from the config', async () => {
    const embedding: TensorToWrite = {
      name: 'rwkv.embeddings.weight',
      dtype: 'f32',
      shape: [1, 1],
      data: Uint8Array.of(1, 2, 3, 4),
    };
    const model = { 'model.safetensors': writeSafetensors([embedding]) };
    const tied = await openShards(
      folder({ ...model, 'config.json': '{"tie_word_embeddings":true,"rescale_every":6}' }).resolve,
    );
    expect(await tied.read('head.weight')).toEqual(embedding.data);
    const other = openShards(folder({ ...model, 'config.json': '{"layer_norm_epsilon":1e-6}' }).resolve);
    expect(await refusal(other)).toMatchObject({
      code: 'UNSUPPORTED_FORMAT',
      message: expect.stringContaining('0.000001'),
    });
  });

  it('come from anywhere, such as a server', async () => {
    const files: Record<string, string | Uint8Array> = {
      [INDEX]: index({ a: '1.safetensors' }),
      '1.safetensors': first,
    };
    const checkpoint = await openShards(async (name) => {
      const source = await folder(files).resolve(name);
      if (source === undefined) throw new ReceptanceError('FILE_NOT_FOUND', name);
      return source;
    });
    expect([...checkpoint.tensors.keys()]).toEqual(['a']);
    const broken = openShards(async (name) => {
      throw new ReceptanceError('READ_FAILED', name);
    });
    expect(await refusal(broken)).toMatchObject({ code: 'READ_FAILED' });
  });

  it('are read or refused whatever index and config say', async () => {
    const shard = fc.constantFrom(
      '1.safetensors',
      '2.safetensors',
      '3.safetensors',
      '../1.safetensors',
      'toString',
      '',
    );
    const map = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'),
      fc.oneof({ weight: 4, arbitrary: shard }, fc.jsonValue()),
    );
    const json = fc.oneof(
      { weight: 4, arbitrary: map.map((weights) => JSON.stringify({ weight_map: weights })) },
      fc.json(),
      fc.string(),
    );
    const config = fc.oneof(
      fc.json(),
      fc.constantFrom('{"norm_eps":1e-5}', '{"tie_word_embeddings":true}', '{"norm_eps":1e999}'),
    );
    const codes = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(json, fc.option(config), async (content, about) => {
        const files = { [INDEX]: content, '1.safetensors': first, '2.safetensors': second };
        const { open, resolve } = folder(about === null ? files : { ...files, 'config.json': about });
        let code: string | undefined;
        try {
          const checkpoint = await openShards(resolve);
          await checkpoint.close();
        } catch (error) {
          if (!ReceptanceError.isInstance(error) || !error.hint) throw error;
          code = error.code;
        }
        if (open.size > 0) throw new Error('something stays open');
        codes.add(code);
      }),
      { numRuns: 2000 },
    );
    for (const code of [undefined, 'BAD_HEADER', 'FILE_NOT_FOUND']) expect(codes).toContain(code);
  });
});
