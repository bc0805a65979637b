import {
  type AbortSignalLike,
  type ByteRange,
  elementCount,
  type HostArray,
  ReceptanceError,
  type TensorInfo,
  type WeightSource,
} from '@receptance/core';

/** Numbers with a shape, in memory. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: HostArray;
}

export function tensor(shape: readonly number[], value: (index: number) => number = () => 0): Tensor {
  const data = new Float32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return { shape, data };
}

export function infoOf({ shape, data }: Tensor): TensorInfo {
  const dtype = data instanceof Float64Array ? 'f64' : data instanceof Int32Array ? 'i32' : 'f32';
  return { dtype, shape, bytes: data.byteLength };
}

/** Tensors in memory as a source of weights. */
export function tensorSource(tensors: ReadonlyMap<string, Tensor>): WeightSource {
  const infos = new Map([...tensors].map(([name, each]) => [name, infoOf(each)]));
  return lazySource(infos, async (name) => tensors.get(name)?.data ?? new Float32Array());
}

/** A source whose tensors are fetched whole when they are read, and the last one kept for the next range of it. */
export function lazySource(
  tensors: ReadonlyMap<string, TensorInfo>,
  fetch: (name: string) => Promise<HostArray>,
): WeightSource {
  let last: { readonly name: string; readonly data: Promise<HostArray> } | undefined;
  return {
    tensors,
    async read(name: string, range?: ByteRange, signal?: AbortSignalLike) {
      signal?.throwIfAborted();
      const info = tensors.get(name);
      if (info === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
      if (last?.name !== name) last = { name, data: fetch(name) };
      const data = await last.data;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return bytes.slice(range?.start ?? 0, range?.end ?? info.bytes);
    },
  };
}

/** Sources as one: a tensor comes from the first that has it. */
export function layered(...sources: readonly WeightSource[]): WeightSource {
  const tensors = new Map(sources.toReversed().flatMap((source) => [...source.tensors]));
  return {
    tensors,
    async read(name, range, signal) {
      const source = sources.find((each) => each.tensors.has(name));
      if (source === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
      return source.read(name, range, signal);
    },
  };
}
