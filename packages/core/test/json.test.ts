import {
  detectModel,
  differentiate,
  graphFromJson,
  graphToJson,
  logitsGraph,
  lossGraph,
  printGraph,
  sampleGraph,
} from '@receptance/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rwkv7Tensors } from './model.ts';

const model = detectModel(rwkv7Tensors());
const graphs = {
  logits: logitsGraph(model),
  sample: sampleGraph(model),
  gradient: differentiate(lossGraph(model), 'loss', ['emb.weight', 'blocks.1.att.w0']),
};

describe('a graph as JSON', () => {
  it.each(Object.entries(graphs))('%s comes back the same', (_, graph) => {
    const again = graphFromJson(graphToJson(graph));
    expect(printGraph(again).replaceAll(/%\d+/g, '%')).toBe(printGraph(graph).replaceAll(/%\d+/g, '%'));
    expect(graphToJson(graphFromJson(graphToJson(again)))).toBe(graphToJson(again));
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"receptanceGraph":2}',
    '{"receptanceGraph":1,"name":"g","nodes":[{}],"outputs":{},"updates":{}}',
  ])('refuses %s', (text) => {
    expect(() => graphFromJson(text)).toThrow(expect.objectContaining({ code: 'BAD_GRAPH' }));
  });

  it.each([
    ['a value made twice', (text: string) => text.replace('"outputs":{"y":1}', '"outputs":{"y":0}'), 'BAD_GRAPH'],
    [
      'a name of the prototype',
      (text: string) => text.replace('"outputs":{"y":0}', '"outputs":{"toString":0}'),
      'BAD_GRAPH',
    ],
    [
      'a hostile output name',
      (text: string) => text.replace('"outputs":{"next"', '"outputs":{"constructor"'),
      'BAD_OP',
    ],
    [
      'a size beyond counting',
      (text: string) => text.replace('"shape":["N"]', '"shape":["N+99999999999999999999"]'),
      'BAD_SHAPE',
    ],
  ])('refuses %s', (_, damage, code) => {
    const text = graphToJson(graphs.sample);
    expect(damage(text)).not.toBe(text);
    expect(() => graphFromJson(damage(text))).toThrow(expect.objectContaining({ code }));
  });

  it('refuses damaged text with an error of its own, whatever the damage', () => {
    const text = graphToJson(graphs.sample);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (place, patch) => {
        const damaged = text.slice(0, place) + patch + text.slice(place + 1);
        try {
          graphFromJson(damaged);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ReceptanceError' });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a graph in print', () => {
  it('names ops, scopes, shapes, outputs and updates', () => {
    const text = printGraph(graphs.logits);
    expect(text).toContain('graph rwkv7.logits');
    expect(text).toContain('# blocks.1.att');
    expect(text).toMatch(/%\d+ y: f32\[N,16\], %\d+ att_last: f32\[S,16\].* = block7\(x=%/);
    expect(text).toMatch(/output logits = %\d+/);
    expect(text).toMatch(/update state\.1\.att_kv = %\d+/);
  });
});
