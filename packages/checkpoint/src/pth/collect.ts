import { checkpointError, quote } from '../errors.ts';
import type { PickleDict, PickleValue, Tensor } from './values.ts';
import { isObject } from './values.ts';

/** Under what training programs keep the weights, beside the state of an optimiser and the like. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module'];

/**
 * The tensors of a checkpoint by name: those of the dictionary that was saved, of the dictionary nested in it under
 * one of the usual names, or of a list of (name, tensor) pairs. Other values beside them are left out.
 *
 * @throws ReceptanceError `NOT_A_CHECKPOINT` when there are none
 */
export function collectTensors(file: string, root: PickleValue): ReadonlyMap<string, Tensor> {
  let tensors: ReadonlyMap<string, Tensor> | undefined;
  if (isObject(root, 'list')) tensors = fromPairs(file, root.items);
  const visited = new Set<PickleDict>();
  let value: PickleValue | undefined = root;
  while (isObject(value, 'dict') && !visited.has(value)) {
    visited.add(value);
    // Deeper is more specific: a wrapper may hold a tensor of its own, such as a step count.
    if ([...value.entries.values()].some((entry) => isObject(entry, 'tensor')))
      tensors = fromPairs(file, pairsOf(value));
    value = unwrap(value);
  }
  if (tensors === undefined || tensors.size === 0) {
    throw checkpointError(
      'NOT_A_CHECKPOINT',
      file,
      isObject(root, 'tensor') ? 'holds one tensor without a name' : 'holds no tensors by name',
      'save a dictionary of tensors: torch.save(model.state_dict(), "model.pth")',
    );
  }
  return tensors;
}

function unwrap({ entries }: PickleDict): PickleDict | undefined {
  for (const name of WRAPPERS) {
    const inner = entries.get(name);
    if (isObject(inner, 'dict')) return inner;
  }
  return undefined;
}

function pairsOf({ entries }: PickleDict): PickleValue[] {
  return Array.from(entries, (items): PickleValue => ({ kind: 'tuple', items }));
}

function fromPairs(file: string, pairs: readonly PickleValue[]): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const pair of pairs) {
    if (!isObject(pair, 'tuple') || pair.items.length !== 2) continue;
    const [name, tensor] = pair.items;
    if (!isObject(tensor, 'tensor')) continue;
    if (typeof name !== 'string' || name === '__proto__' || tensors.has(name)) {
      throw checkpointError(
        'BAD_TENSOR',
        file,
        typeof name === 'string' ? `the name ${quote(name)} is not allowed, or taken` : 'a tensor has no name',
        'save a dictionary whose keys are the names of the tensors',
      );
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
