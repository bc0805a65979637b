import { concreteShape, type Node, type Value } from '@receptance/core';
import { type Program, perElement, read, type Shader, write } from '../kernel.ts';
import { broadcastStrides, MAX_AXES, walkParams } from '../strided.ts';

/** An elementwise program over operands that broadcast to the shape of `y`. */
export function broadcasting(
  shader: Shader,
  constants: Readonly<Record<string, number>>,
  operands: readonly Value[],
  y: Value,
): Program {
  return {
    shader,
    constants,
    bindings: [...operands.map(read), write(y)],
    launch(sizes) {
      const shape = concreteShape(y.shape, sizes);
      const strides = operands.map((operand) => broadcastStrides(concreteShape(operand.shape, sizes), shape));
      const params = walkParams({ shape, strides });
      return { workgroups: perElement(params[0] ?? 0), params };
    },
  };
}

/** Refuses tensors of more axes than `params` describe. */
export function fewAxes(node: Node): true | string {
  const most = Math.max(
    ...[...Object.values(node.inputs), ...Object.values(node.outputs)].map(({ shape }) => shape.length),
  );
  return most <= MAX_AXES || `tensors of ${most} axes, at most ${MAX_AXES} are supported`;
}
