import type { Node } from '../ir/types.ts';

/** The last part of the scope of nodes that pass gradients back, and of those that make a value of the forward part again. */
export const [GRADIENT, AGAIN] = ['gradient', 'again'];

/** What a node of a graph with gradients is for. */
export type Part = 'forward' | 'again' | 'backward';

export function partOf({ scope }: Node): Part {
  const names = scope.split('.');
  if (names.at(-1) === AGAIN) return 'again';
  return names.includes(GRADIENT) ? 'backward' : 'forward';
}
