import { describe, expect, it } from 'vitest';
import * as ops from './support/pickle.ts';
import { dict, get, global, integer, type Ops, pickle, put, string, tensor, tuple } from './support/pickle.ts';
import { openBytes, refusal, TIME_LIMIT } from './support/sources.ts';
import { pth, u32, utf8 } from './support/zip.ts';

const w = tensor({ length: 2, shape: [2], strides: [1] });
const storages = { 0: new Uint8Array(8) };

function open(...parts: readonly Ops[]) {
  return openBytes(pth(pickle(...parts), storages));
}

function repeat(count: number, ...parts: readonly Ops[]): Ops {
  const part = parts.flat();
  return Array.from({ length: count * part.length }, (_, i) => part[i % part.length] ?? 0);
}

describe('the pickle of a .pth', () => {
  it.each<[string, Ops]>([
    ['a dictionary', dict([string('w'), w])],
    [
      'an ordered dictionary',
      [
        ...global('collections', 'OrderedDict'),
        ...ops.EMPTY_TUPLE,
        ...ops.REDUCE,
        ...string('w'),
        ...w,
        ...ops.SETITEM,
      ],
    ],
    ['attributes of a dictionary', [...dict([string('w'), w]), ...dict([string('_metadata'), dict()]), ...ops.BUILD]],
    [
      'other values beside tensors',
      dict([string('w'), w], [string('step'), integer(-5)], [string('x'), ops.NONE], [integer(3), tuple()]),
    ],
    ['a model in a dictionary', dict([string('model'), dict([string('w'), w])], [string('step'), w])],
    ['a model in a model', dict([string('model'), dict([string('state_dict'), dict([string('w'), w])])])],
    ['an empty model beside a tensor', dict([string('w'), w], [string('model'), dict()])],
    [
      'a dictionary that holds itself',
      [
        ...ops.EMPTY_DICT,
        ...put(0),
        ...string('w'),
        ...w,
        ...ops.SETITEM,
        ...string('model'),
        ...get(0),
        ...ops.SETITEM,
      ],
    ],
    [
      'the memo',
      dict(
        [
          [...string('w'), ...put(7)],
          [...w, ...put(4_000_000_000)],
        ],
        [string('again'), get(4_000_000_000)],
      ),
    ],
    ['a list of pairs', [...ops.EMPTY_LIST, ...ops.MARK, ...tuple(string('w'), w), ...ops.APPENDS]],
    ['names as of an object', dict([string('w'), w], [string('constructor'), w])],
  ])('may hold %s', async (_what, value) => {
    expect((await open(value)).tensors.get('w')).toEqual({ dtype: 'f32', shape: [2], bytes: 8 });
  });

  it.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_qtensor'],
    ['torch.storage', '_load_from_bytes'],
    ['collections', 'OrderedDict.__class__'],
    ['torch', '__proto__'],
    ['', ''],
    ['constructor', 'constructor'],
  ])('is refused when it asks for %s.%s', async (module, name) => {
    const error = await refusal(open(dict([string('w'), w], [string('x'), global(module, name)])));
    expect(error.code).toBe('UNSAFE_PICKLE');
    expect(error.message).toContain(JSON.stringify(`${module}.${name}`));
  });

  it.each<[string, readonly number[]]>([
    ['INST', [0x28, 0x69, ...utf8('os\nsystem\n')]],
    ['OBJ', [0x28, 0x6f]],
    ['NEWOBJ', [...ops.EMPTY_DICT, ...ops.EMPTY_TUPLE, 0x81]],
    ['EXT1', [0x82, 1]],
    ['STACK_GLOBAL', [...string('os'), ...string('system'), 0x93]],
    ['PERSID', [0x50, ...utf8('0\n')]],
    ['STRING', [0x53, ...utf8("'a'\n")]],
    ['INT', [0x49, ...utf8('1\n')]],
    ['LONG4', [0x8b, ...u32(0x7fffffff)]],
    ['DUP', [...ops.NONE, 0x32]],
    ['BINBYTES', [0x42, ...u32(0xffffffff)]],
    ['no operation', [0xff]],
  ])('is refused when it has the operation %s', async (_what, operations) => {
    expect((await refusal(open(operations))).code).toBe('UNSAFE_PICKLE');
  });

  it.each<[string, Ops]>([
    ['ends early', []],
    ['takes from an empty stack', ops.SETITEM],
    ['lacks a mark', ops.TUPLE],
    ['takes what is below a mark', [...ops.EMPTY_DICT, ...string('a'), ...ops.MARK, ...ops.NONE, ...ops.SETITEM]],
    ['makes a tuple of what is below a mark', [...ops.NONE, ...ops.MARK, 0x85]],
    ['leaves values behind', [...ops.NONE, ...ops.NONE]],
    ['leaves a mark behind', [...ops.NONE, ...ops.MARK, ...ops.NONE]],
    ['recalls what it never remembered', get(0)],
    ['remembers nothing', put(0)],
    ['claims a string of 4 GB', [0x58, ...u32(0xffffffff)]],
    ['claims an integer of 255 bytes', [0x8a, 255]],
    ['has a string that is not UTF-8', [0x58, ...u32(1), 0xff]],
    ['has a name without an end', [0x63, ...utf8('a'.repeat(1000))]],
    ['calls a number', [...integer(1), ...ops.EMPTY_TUPLE, ...ops.REDUCE]],
    ['calls with no arguments', [...global('collections', 'OrderedDict'), ...ops.NONE, ...ops.REDUCE]],
    ['makes a dictionary with arguments', [...global('collections', 'OrderedDict'), ...tuple(dict()), ...ops.REDUCE]],
    ['makes a tensor of nothing', [...global('torch._utils', '_rebuild_tensor_v2'), ...tuple(), ...ops.REDUCE]],
    [
      'makes a parameter of a number',
      [...global('torch._utils', '_rebuild_parameter'), ...tuple(integer(1), ops.FALSE, dict()), ...ops.REDUCE],
    ],
    ['names a storage by a number', [...integer(1), ...ops.PERSID]],
    ['names something else than a storage', [...tuple(string('module'), integer(1)), ...ops.PERSID]],
    [
      'names a storage of the type OrderedDict',
      [
        ...tuple(string('storage'), global('collections', 'OrderedDict'), string('0'), string('cpu'), integer(2)),
        ...ops.PERSID,
      ],
    ],
    ['sets attributes of a list', [...ops.EMPTY_LIST, ...ops.NONE, ...ops.BUILD]],
    ['sets items of a list', [...ops.EMPTY_LIST, ...string('a'), ...ops.NONE, ...ops.SETITEM]],
    ['appends to a dictionary', [...ops.EMPTY_DICT, ...ops.NONE, ...ops.APPEND]],
    ['has a key without a value', [...ops.EMPTY_DICT, ...ops.MARK, ...string('a'), ...ops.SETITEMS]],
    ['has a key twice', dict([string('w'), w], [string('w'), w])],
    ['opens marks without end', repeat(100_000, ops.MARK)],
    ['stacks values without end', repeat(100_000, ops.NONE)],
    ['nests lists without end', repeat(100_000, ops.EMPTY_LIST)],
    ['makes objects without end', [...ops.EMPTY_LIST, ...repeat(550_000, ops.EMPTY_DICT, ops.APPEND)]],
  ])('is refused when it %s', async (_what, value) => {
    const bytes = pth(pickle(value), storages);
    const start = performance.now();
    expect((await refusal(openBytes(bytes))).code).toBe('BAD_PICKLE');
    expect(performance.now() - start).toBeLessThan(TIME_LIMIT);
  });

  it.each<[string, Ops]>([
    ['a number', integer(1)],
    ['one tensor', w],
    ['no tensors', dict([string('a'), integer(1)])],
    ['tensors that hold tensors under unusual names', dict([string('weights of mine'), dict([string('w'), w])])],
    ['a list that holds itself', [...ops.EMPTY_LIST, ...put(0), ...get(0), ...ops.APPEND]],
    [
      'lists of lists of one list, 2^60 in all',
      [
        ...ops.EMPTY_LIST,
        ...put(0),
        ...repeat(60, ops.EMPTY_LIST, get(0), ops.APPEND, get(0), ops.APPEND, put(0)),
        0x85,
      ],
    ],
    [
      'a chain of lists',
      [
        ...ops.EMPTY_LIST,
        ...put(0),
        ...repeat(100, ops.EMPTY_LIST, get(0), ops.APPEND, put(0)),
        ...repeat(100, ops.APPEND),
      ],
    ],
  ])('is no checkpoint when it holds %s', async (_what, value) => {
    expect((await refusal(open(value))).code).toMatch(/NOT_A_CHECKPOINT|BAD_PICKLE/);
  });

  it.each<[string, Ops, Ops]>([
    ['shape of 60,000 axes', tuple(...new Array<Ops>(60_000).fill(integer(1))), string('0')],
    ['storage with a name of a megabyte', tuple(integer(2)), string('0'.repeat(1_000_000))],
  ])('is refused when ten thousand tensors recall one %s', async (_what, shape, key) => {
    const id = tuple(string('storage'), global('torch', 'FloatStorage'), get(1), string('cpu'), integer(2));
    const args = tuple([...id, ...ops.PERSID], integer(0), get(0), get(0), ops.FALSE, dict());
    const again = [...global('torch._utils', '_rebuild_tensor_v2'), ...args, ...ops.REDUCE, ...ops.APPEND];
    const bytes = pth(
      pickle([...shape, ...put(0), ...key, ...put(1), ...ops.EMPTY_LIST, ...repeat(10_000, again), ...tuple()]),
    );
    const start = performance.now();
    expect((await refusal(openBytes(bytes))).code).toBe('BAD_PICKLE');
    expect(performance.now() - start).toBeLessThan(TIME_LIMIT);
  });

  it.each<[string, Ops]>([
    ['__proto__', dict([string('__proto__'), w])],
    ['a number', dict([integer(1), w])],
  ])('is refused when a tensor is called %s', async (_what, value) => {
    expect((await refusal(open(value))).code).toBe('BAD_TENSOR');
  });
});
