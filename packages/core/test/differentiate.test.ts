import { detectModel, differentiate, GraphBuilder, lossGraph } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { rwkv7Tensors } from './model.ts';

describe('differentiate', () => {
  it('gives each gradient the shape of its leaf, and keeps the outputs', () => {
    const tensors = rwkv7Tensors();
    const graph = differentiate(lossGraph(detectModel(tensors)), 'loss', [
      'emb.weight',
      'blocks.1.att.x_r',
      'blocks.0.att.r_k',
    ]);
    expect(Object.keys(graph.outputs)).toEqual([
      'losses',
      'loss',
      'grad.emb.weight',
      'grad.blocks.1.att.x_r',
      'grad.blocks.0.att.r_k',
    ]);
    expect(graph.outputs['grad.emb.weight']?.shape).toEqual([11, 16]);
    expect(graph.outputs['grad.blocks.1.att.x_r']?.shape).toEqual([16]);
    expect(graph.outputs['grad.blocks.0.att.r_k']?.shape).toEqual([2, 8]);
  });

  it('leaves out the backward work that no asked gradient needs', () => {
    const loss = lossGraph(detectModel(rwkv7Tensors()));
    const ops = (names: string[]): string[] => differentiate(loss, 'loss', names).nodes.map((node) => node.op);
    expect(ops(['head.weight'])).not.toContain('wkv7Grad');
    expect(ops(['emb.weight'])).toContain('wkv7Grad');
  });

  it('gives zeros for a leaf that the loss does not see', () => {
    const b = new GraphBuilder('g');
    b.input('unseen', 'f32', [3]);
    b.output('loss', b.reduce('sum', b.input('x', 'f32', [2]), [0]));
    const graph = differentiate(b.build(), 'loss', ['unseen']);
    const made = graph.outputs['grad.unseen'];
    expect(graph.nodes.find((node) => node.outputs['y'] === made)).toMatchObject({
      op: 'full',
      attrs: { value: 0, shape: [3] },
    });
  });

  it.each([
    ['an output that is not there', 'nothing', ['x']],
    ['an output that is not a scalar', 'y', ['x']],
    ['a leaf that is not there', 'loss', ['nothing']],
  ])('refuses %s', (_, loss, names) => {
    const b = new GraphBuilder('g');
    const y = b.unary('exp', b.input('x', 'f32', [2]));
    b.output('y', y);
    b.output('loss', b.reduce('sum', y, [0]));
    expect(() => differentiate(b.build(), loss, names)).toThrow(
      expect.objectContaining({ code: 'NOT_DIFFERENTIABLE' }),
    );
  });

  it('makes again what is cheap, of what is kept anyway, and of nothing that costs more', () => {
    const b = new GraphBuilder('g');
    const x = b.linear(b.input('x', 'f32', ['N', 64]), b.parameter('w', 'f32', [64, 64]));
    const relu = b.unary('relu', x);
    const y = b.linear(b.binary('mul', relu, relu), b.parameter('v', 'f32', [64, 64]));
    b.output('loss', b.reduce('sum', b.unary('exp', y), [0, 1]));
    const again = (options?: { rematerialise: boolean }): string[] =>
      differentiate(b.build(), 'loss', ['w', 'v'], options)
        .nodes.filter(({ scope }) => scope.endsWith('.again'))
        .map(({ op, attrs }) => `${op} ${attrs['fn']}`);
    expect(again()).toEqual([]);
    // Of x, which the gradient of relu reads: relu and its square. exp(y) stays: y would have to be kept in its place.
    expect(again({ rematerialise: true }).toSorted()).toEqual(['binary mul', 'unary relu']);
  });

  it('refuses a way to the loss without a derivative, naming the op', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'f32', [2]);
    b.output('loss', b.reduce('sum', b.add('cast', { x }, { dtype: 'f32' }).y, [0]));
    expect(() => differentiate(b.build(), 'loss', ['x'])).toThrow(/cast .*has no derivative/);
  });
});
