import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpointFile } from '../src/node.ts';

const models = fileURLToPath(new URL('../../conformance/golden/models/', import.meta.url));

describe.skipIf(!existsSync(models))('a real model', () => {
  it('has the same tensors as .pth and as .safetensors', async () => {
    const pth = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.pth`);
    const safetensors = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.safetensors`);
    expect([pth.format, safetensors.format]).toEqual(['pth', 'safetensors']);
    expect(pth.tensors.size).toBe(72);
    expect(new Map([...pth.tensors].sort())).toEqual(new Map([...safetensors.tensors].sort()));
    for (const name of pth.tensors.keys()) {
      expect(Buffer.compare(await pth.read(name), await safetensors.read(name)), name).toBe(0);
    }
    await Promise.all([pth.close(), safetensors.close()]);
  });

  it.each([
    ['rwkv7_l2_c128_v97.bf16.pth', 'bf16'],
    ['rwkv7_l2_c128_v97.fp16.safetensors', 'f16'],
    ['rwkv7_l2_c64_state_v97.bf16.safetensors', 'bf16'],
  ])('may be of 16 bits: %s', async (name, dtype) => {
    const checkpoint = await openCheckpointFile(models + name);
    expect(new Set([...checkpoint.tensors.values()].map((info) => info.dtype))).toEqual(new Set([dtype]));
    for (const [tensor, { bytes }] of checkpoint.tensors) expect((await checkpoint.read(tensor)).length).toBe(bytes);
    await checkpoint.close();
  });
});
