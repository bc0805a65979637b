import { expect, test } from 'vitest';
import { profileLines } from '../src/report/profile.ts';

const around = { scope: '', op: 'gather', shader: 'gather', workgroups: 1, milliseconds: 1, bytes: 1e6, flops: 0 };
const block = (layer: number, shader: string, milliseconds: number, bytes: number, flops: number) => {
  return { scope: `blocks.${layer}`, op: 'block7', shader, workgroups: 4, milliseconds, bytes, flops };
};

test('a profile adds up the same dispatch of all blocks, and shows which roofline bounds it', () => {
  const dispatches = [0, 1].flatMap((i) => [block(i, '_mix', 0.5, 1e6, 0), block(i, '_project', 4, 4e6, 40e6)]);
  const lines = profileLines(
    { model: 'small', weights: 'f16', tokens: 1 },
    {
      adapter: 'a GPU',
      dispatches: [around, ...dispatches],
      roofline: { bytesPerSecond: 10e9, flopsPerSecond: 20e9 },
    },
  );
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "small, f16, a GPU: a token, 10.0 ms of the GPU in 5 dispatches
    roofline: 10.0 GB/s read, 20.0 GFLOP/s

    dispatch    of      times  ms    of all  GB/s  GFLOP/s  of roofline
    2 _project  blocks  2      8.00  80 %    1.00  10.0     50 % of peak
    gather              1      1.00  10 %    1.00  0.00     10 % of read
    1 _mix      blocks  2      1.00  10 %    2.00  0.00     20 % of read
    all                 5      10.0  100 %   1.10  8.00     40 % of peak

    [all-----------------------------------------------------------------------------------------------]
    [gather--][blocks----------------------------------------------------------------------------------]
    [        ][1 _mix--][2 _project--------------------------------------------------------------------]"
  `);
});
