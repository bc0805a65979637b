import { wasm } from '@receptance/backend-wasm';
import { cost, decompose, definitionOf, detectModel, elementCount, leaves, lossGraph } from '@receptance/core';
import { randomSource } from '../models/random-weights.ts';
import { tensorsOf } from '../models/tensors.ts';
import { graphTimer } from '../ops/graph-timer.ts';
import { opSamples } from '../ops/op-graph.ts';
import { stepGraph } from './step-graph.ts';

const version = Number(process.argv[2] ?? 7) as 4 | 7;
const threads = Number(process.argv[3] ?? 2);
const ranks = { w: 32, a: 32, v: 32, g: 32 };
const source = randomSource(
  't',
  tensorsOf({ version, layers: 4, width: 128, headSize: 64, ffn: 512, vocabulary: 256, ranks }),
);
const model = detectModel(source.tensors);
const graph = stepGraph(lossGraph(model));
const [B, T] = [8, 256];
const sizes = { N: B * T, S: B };
const device = await wasm({ threads }).open();
const t0 = performance.now();
const parameters = await device.loadParameters(source, [graph]);
const exe = await device.compile(graph, parameters, sizes);
console.log('compile', performance.now() - t0, exe.memory, 'parameters', parameters.bytes);
const inputs = {
  tokens: device.alloc('i32', B * T),
  targets: device.alloc('i32', B * T),
  starts: device.alloc('i32', B + 1),
};
device.write(
  inputs.tokens,
  Array.from({ length: B * T }, (_, i) => (i * 7919 + (i >> 3)) % 256),
);
device.write(
  inputs.targets,
  Array.from({ length: B * T }, (_, i) => ((i + 1) * 7919 + ((i + 1) >> 3)) % 256),
);
device.write(
  inputs.starts,
  Array.from({ length: B + 1 }, (_, i) => i * T),
);
const loss = device.alloc('f32', 1);
const times: number[] = [];
const losses: number[] = [];
const steps = Number(process.argv[4] ?? 8);
for (let i = 0; i < steps; i++) {
  const began = performance.now();
  await device.run(exe, { sizes, inputs, outputs: { loss } });
  losses.push((await device.read(loss))[0] ?? NaN);
  times.push(performance.now() - began);
}
times.sort((a, b) => a - b);
console.log(
  `rwkv${version} threads ${threads}: min ${times[0]?.toFixed(0)} median ${times[times.length >> 1]?.toFixed(0)} ms, ${(((B * T) / times[0]!) * 1000).toFixed(0)} tokens/s; loss ${losses
    .slice(0, 3)
    .concat(losses.slice(-2))
    .map((x) => x.toFixed(4))}`,
);
exe.free();
if (process.argv[5] === 'ops') {
  const by = new Map<string, { n: number; ms: number; flops: number; bytes: number }>();
  for (const { label, nodes, graph: own, share } of opSamples(exe.graph)) {
    if (process.argv[6] && !process.argv[6].split(',').includes(label)) continue;
    const p = await device.loadParameters(source, [own]);
    const timer = await graphTimer(device, p, own, sizes);
    await timer.run(1);
    const steps = nodes.length * 3;
    let ms = Infinity;
    for (let i = 0; i < 8; i++) ms = Math.min(ms, await timer.run(1));
    ms *= share;
    const row = by.get(label) ?? { n: 0, ms: 0, flops: 0, bytes: 0 };
    row.n += nodes.length * share;
    row.ms += ms;
    for (const n of nodes) {
      const c = cost(n, sizes);
      row.flops += c.flops * share;
      row.bytes += c.bytes * share;
    }
    by.set(label, row);
    timer.free();
    p.free();
  }
  for (const [label, r] of [...by].sort((a, b) => b[1].ms - a[1].ms))
    console.log(
      label.padEnd(24),
      String(r.n).padStart(6),
      r.ms.toFixed(1).padStart(8),
      'ms',
      (r.flops / r.ms / 1e6).toFixed(1).padStart(7),
      'GFLOP/s',
      (r.bytes / r.ms / 1e6).toFixed(1).padStart(7),
      'GB/s',
    );
  console.log('sum', [...by.values()].reduce((s, r) => s + r.ms, 0).toFixed(1));
}
await device.close();
