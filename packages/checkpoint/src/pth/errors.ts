import type { ReceptanceError } from '@receptance/core';
import { checkpointError } from '../errors.ts';

export function badPickle(file: string, what: string): ReceptanceError {
  return checkpointError(
    'BAD_PICKLE',
    file,
    `data.pkl is broken: ${what}`,
    'save it again as a plain dictionary of tensors: torch.save(state_dict, "model.pth")',
  );
}

/** What a pickle asks for is not among what reading tensors needs; it is refused, not done. */
export function unsafePickle(file: string, what: string): ReceptanceError {
  return checkpointError(
    'UNSAFE_PICKLE',
    file,
    `data.pkl ${what}; only what tensors need is read, and nothing is run`,
    'save only the weights, without the objects of the program: torch.save(dict(state_dict), "model.pth")',
  );
}
