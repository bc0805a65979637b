import { webgpu } from '../src/index.ts';
import { decodingInOneRun } from './decoding.ts';

/** Addresses by path: a page reads what Node finds in the folder. */
const addresses = import.meta.glob<string>('../../conformance/golden/models/rwkv7_l4_c128_v97*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
});

decodingInOneRun(webgpu({ selfTest: false }), async (file) => {
  const [, address] = Object.entries(addresses).find(([path]) => path.endsWith(`/${file}`)) ?? [];
  if (address === undefined) throw new Error(`${file} is not served`);
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
});
