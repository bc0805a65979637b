// Made of crate/ by build.ts: do not edit.

/** What the binaries were made of, and by what. */
export const BUILD = {
  sources: '5779b8a83fa95042a331cfc591b821fb67461c8b975ebb2b9f037396442f5582',
  compiler: 'rustc 1.95.0 (59807616e 2026-04-14)',
} as const;

/** The instructions that they know, with the names of their operands in order. */
export const INSTRUCTIONS = {
  copy_words: { opcode: 0, operands: ['from', 'to', 'count'] },
  full: { opcode: 1, operands: ['value', 'y', 'count'] },
  unary: { opcode: 2, operands: ['function', 'x', 'y', 'count'] },
  binary: { opcode: 3, operands: ['function', 'a', 'b', 'y', 'axes', 'count'] },
  compare: { opcode: 4, operands: ['function', 'a', 'b', 'y', 'axes', 'count'] },
  compare_whole: { opcode: 5, operands: ['function', 'a', 'b', 'y', 'axes', 'count'] },
  select: { opcode: 6, operands: ['condition', 'a', 'b', 'y', 'axes', 'count'] },
  cast_to_whole: { opcode: 7, operands: ['x', 'y', 'count'] },
  cast_to_float: { opcode: 8, operands: ['x', 'y', 'count'] },
  reduce: { opcode: 9, operands: ['function', 'x', 'y', 'kept', 'folded', 'count'] },
  transpose: { opcode: 10, operands: ['x', 'y', 'axes', 'count'] },
  slice: { opcode: 11, operands: ['x', 'y', 'rows', 'pitch', 'offset', 'width'] },
  concat: { opcode: 12, operands: ['a', 'b', 'y', 'rows', 'a_width', 'b_width'] },
  broadcast: { opcode: 13, operands: ['x', 'y', 'axes', 'count'] },
  gather: { opcode: 14, operands: ['format', 'table', 'ids', 'y', 'count', 'rows', 'width'] },
  scatter_add: { opcode: 15, operands: ['ids', 'x', 'y', 'count', 'rows', 'width'] },
  linear: { opcode: 16, operands: ['format', 'x', 'w', 'y', 'scratch', 'rows', 'inner', 'outer'] },
  linear_rows: { opcode: 17, operands: ['x', 'w', 'y', 'rows', 'inner', 'outer'] },
  linear_columns: { opcode: 18, operands: ['x', 'w', 'y', 'rows', 'inner', 'outer'] },
  matmul: { opcode: 19, operands: ['a', 'b', 'y', 'batch', 'm', 'k', 'n', 'transpose_a', 'transpose_b'] },
  softmax: { opcode: 20, operands: ['x', 'y', 'rows', 'width'] },
  layer_norm: { opcode: 21, operands: ['x', 'w', 'b', 'y', 'rows', 'width', 'eps'] },
  group_norm: { opcode: 22, operands: ['x', 'w', 'b', 'y', 'rows', 'groups', 'width', 'eps'] },
  l2_norm: { opcode: 23, operands: ['x', 'y', 'rows', 'width', 'eps'] },
  token_shift: { opcode: 24, operands: ['x', 'prev', 'starts', 'slots', 'y', 'last', 'tokens', 'sequences', 'width', 'pool_rows'] },
  token_shift_grad: { opcode: 25, operands: ['starts', 'gy', 'glast', 'gx', 'gprev', 'tokens', 'sequences', 'width'] },
  wkv4: { opcode: 26, operands: ['w', 'u', 'k', 'v', 'aa0', 'bb0', 'pp0', 'starts', 'slots', 'y', 'aa', 'bb', 'pp', 'tokens', 'sequences', 'width', 'pool_rows'] },
  wkv4_grad: { opcode: 27, operands: ['w', 'u', 'k', 'v', 'aa0', 'bb0', 'pp0', 'starts', 'gy', 'gaa', 'gbb', 'gpp', 'gw', 'gu', 'gk', 'gv', 'gaa0', 'gbb0', 'gpp0', 'scratch', 'tokens', 'sequences', 'width'] },
  wkv6: { opcode: 28, operands: ['r', 'lw', 'k', 'v', 'u', 's0', 'starts', 'slots', 'y', 's', 'scratch', 'tokens', 'sequences', 'heads', 'size', 'pool_rows', 'per_token'] },
  wkv6_grad: { opcode: 29, operands: ['r', 'lw', 'k', 'v', 'u', 's0', 'starts', 'gy', 'gs', 'gr', 'glw', 'gk', 'gv', 'gu', 'gs0', 'scratch', 'tokens', 'sequences', 'heads', 'size', 'per_token'] },
  wkv7: { opcode: 30, operands: ['r', 'lw', 'k', 'v', 'a', 'b', 's0', 'starts', 'slots', 'y', 's', 'scratch', 'tokens', 'sequences', 'heads', 'size', 'pool_rows'] },
  wkv7_grad: { opcode: 31, operands: ['r', 'lw', 'k', 'v', 'a', 'b', 's0', 'starts', 'gy', 'gs', 'gr', 'glw', 'gk', 'gv', 'ga', 'gb', 'gs0', 'scratch', 'tokens', 'sequences', 'heads', 'size'] },
  state_read: { opcode: 32, operands: ['pool', 'slots', 'y', 'count', 'rows', 'width'] },
  state_write: { opcode: 33, operands: ['pool', 'slots', 'value', 'count', 'rows', 'width'] },
  cross_entropy: { opcode: 34, operands: ['logits', 'targets', 'y', 'rows', 'width'] },
  cross_entropy_grad: { opcode: 35, operands: ['logits', 'targets', 'gy', 'glogits', 'rows', 'width'] },
  argmax: { opcode: 36, operands: ['x', 'y', 'rows', 'width'] },
  sample: { opcode: 37, operands: ['logits', 'parameters', 'counts', 'u', 'token', 'counts_after', 'scratch', 'rows', 'width'] },
} as const;
