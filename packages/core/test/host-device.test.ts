import { expect, test } from 'vitest';
import { type DeviceInfo, GraphBuilder, HostDevice, type HostKernelOf } from '../src/index.ts';

const double: HostKernelOf<'unary'> = {
  run: ({ x }, { y }) => {
    for (const [i, value] of x.data.entries()) y.data[i] = 2 * value;
  },
};
const info = (float: 'f32' | 'f64'): DeviceInfo => ({
  ...{ backend: 'doubling', adapter: 'test', threads: 1, float, ragged: true },
});
const open = (float: 'f32' | 'f64' = 'f32'): HostDevice => new HostDevice(info(float), { unary: [double] });
const none = { tensors: new Map(), read: async () => new Uint8Array() };

function graph() {
  const b = new GraphBuilder('doubled');
  b.output('y', b.unary('neg', b.unary('neg', b.input('x', 'f32', ['N']))));
  return b.build();
}

async function made(device: HostDevice) {
  const parameters = await device.loadParameters(none, [graph()]);
  const executable = await device.compile(graph(), parameters, { N: 4 });
  return { parameters, executable, x: device.alloc('f32', 4), y: device.alloc('f32', 4) };
}

test.each([
  ['f32', Math.fround(0.1)],
  ['f64', 0.1],
] as const)('numbers are held and computed in %s', async (float, tenth) => {
  const device = open(float);
  const { executable, x, y } = await made(device);
  device.write(x, [0.1, 1, 2]);
  await device.run(executable, { sizes: { N: 3 }, inputs: { x }, outputs: { y } });
  expect(Array.from(await device.read(y))).toEqual([4 * tenth, 4, 8, 0]);
});

test('what is of another device, or was freed, is refused', async () => {
  const [device, other] = [open(), open()];
  const own = await made(device);
  const foreign = await made(other);
  const run = (executable: typeof own.executable, { x, y }: Pick<typeof own, 'x' | 'y'>) =>
    device.run(executable, { sizes: { N: 1 }, inputs: { x }, outputs: { y } });
  const refused = expect.objectContaining({ code: 'FOREIGN_OBJECT' });
  await expect(device.compile(graph(), foreign.parameters, { N: 1 })).rejects.toThrow(refused);
  await expect(run(foreign.executable, own)).rejects.toThrow(refused);
  await expect(run(own.executable, foreign)).rejects.toThrow(refused);
  await expect(device.read(foreign.x)).rejects.toThrow(refused);
  await run(own.executable, own);
  device.free(own.x);
  expect(() => device.write(own.x, [1])).toThrow(refused);
  expect(() => device.free(own.x)).toThrow(refused);
  own.parameters.free();
  await expect(run(own.executable, { x: device.alloc('f32', 1), y: own.y })).rejects.toThrow(refused);
});

test.each([
  ['before the beginning', -1, 1],
  ['beyond the end', 3, 2],
  ['of no number', Number.NaN, 1],
])('a range %s is refused', async (_, offset, elements) => {
  const device = open();
  const buffer = device.alloc('f32', 4);
  const refused = expect.objectContaining({ code: 'OUT_OF_RANGE' });
  await expect(device.read(buffer, offset, elements)).rejects.toThrow(refused);
  expect(() => device.copy(buffer, offset, device.alloc('f32', 9), 0, elements)).toThrow(refused);
  expect(() => device.copy(buffer, 0, device.alloc('i32', 4), 0, 1)).toThrow(refused);
  for (const size of [-1, 0.5, Number.NaN]) expect(() => device.alloc('f32', size)).toThrow(refused);
});
