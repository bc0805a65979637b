import type { Node } from '../ir/types.ts';

/** What the scope of a node has that passes gradients back. */
export const GRADIENT = 'gradient';
/** What the scope of a node ends in that makes a value of the forward part again. */
export const AGAIN = 'again';

/** What a node of a graph with gradients is for. */
export type Part = 'forward' | 'again' | 'backward';

export function partOf({ scope }: Node): Part {
  const names = scope.split('.');
  if (names.at(-1) === AGAIN) return 'again';
  return names.includes(GRADIENT) ? 'backward' : 'forward';
}
