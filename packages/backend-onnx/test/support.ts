import {
  type Device,
  type DeviceBuffer,
  type Executable,
  type Graph,
  GraphBuilder,
  ReceptanceError,
  type Value,
  type WeightSource,
} from '@receptance/core';

export const NO_WEIGHTS: WeightSource = {
  tensors: new Map(),
  read: () => Promise.reject(new Error('there are no weights')),
};

/** The code of the error that a call ends with. */
export async function codeOf(body: () => unknown): Promise<string> {
  return (await errorOf(body))?.code ?? 'none';
}

export async function errorOf(body: () => unknown): Promise<ReceptanceError | undefined> {
  try {
    await body();
  } catch (error) {
    if (ReceptanceError.isInstance(error)) return error;
    throw error;
  }
  return undefined;
}

/** A buffer that holds these numbers. */
export function filled(device: Device, dtype: 'f32' | 'i32', data: readonly number[]): DeviceBuffer {
  const buffer = device.alloc(dtype, data.length);
  device.write(buffer, data);
  return buffer;
}

/** A graph of one input x f32[N] and one output y. */
export function graphOf(body: (b: GraphBuilder, x: Value) => Value): Graph {
  const b = new GraphBuilder('test');
  b.output('y', body(b, b.input('x', 'f32', ['N'])));
  return b.build();
}

export async function compileAlone(
  device: Device,
  graph: Graph,
  limits: Readonly<Record<string, number>>,
): Promise<Executable> {
  return await device.compile(graph, await device.loadParameters(NO_WEIGHTS, [graph]), limits);
}
