import { ReceptanceError } from '../errors.ts';
import type { AttrPort, Dims, OpDefinition, Port } from './definition.ts';
import { formatType, parseDim } from './shape.ts';
import type { Attr, Attrs, Dim, TensorType, Value } from './types.ts';

/** For ops whose channels are heads: C = H · D. */
export function checkHeads({ C = 0, H = 0, D = 0 }: Dims): void {
  if (Number(C) !== Number(H) * Number(D)) throw badOp(`${H} heads of ${D} do not make ${C} channels`);
}

/** For norms per group: the groups divide the channels. */
export function checkGroups(channels: Dim | undefined, groups: number): void {
  if (typeof channels !== 'number' || channels % groups !== 0)
    throw badOp(`${groups} groups do not divide ${channels} channels`);
}

/** Thrown by shape rules; the builder adds op and scope. */
export function badOp(message: string, hint = "see the op's page under docs/spec"): ReceptanceError {
  return new ReceptanceError('BAD_OP', message, { hint });
}

/**
 * Holds the inputs against the ports' patterns and returns the letters bound. In the pooled form of a time op (an input
 * `slots`) the first axis of a state port is `Z` instead of `S`.
 */
export function bindPorts(definition: OpDefinition, inputs: Readonly<Record<string, Value | undefined>>): Dims {
  const { inputs: needed, optional = {} } = definition;
  for (const name of Object.keys(inputs)) {
    const isPort = Object.hasOwn(needed, name) || Object.hasOwn(optional, name);
    if (!isPort && inputs[name] !== undefined) throw badOp(`has no input ${name}`);
  }
  const isPooled = inputs['slots'] !== undefined;
  const bound: Record<string, Dim> = {};
  for (const ports of [needed, optional]) {
    for (const [name, port] of Object.entries(ports)) {
      const value = inputs[name];
      if (value === undefined) {
        if (ports === needed) throw badOp(`misses input ${name}: ${port.doc}`);
        continue;
      }
      checkDtype(name, port, value);
      if (port.shape === '*') continue;
      const isPool = isPooled && definition.state !== undefined && name in definition.state;
      bindShape(name, isPool ? pooled(port.shape) : port.shape, value, bound);
    }
  }
  return bound;
}

/** Holds attributes against an op's definition: all there, none more, each of its type. */
export function checkAttrs(definition: OpDefinition, attrs: Attrs): void {
  const ports: Readonly<Record<string, AttrPort>> = definition.attrs ?? {};
  for (const name of Object.keys(attrs)) if (!Object.hasOwn(ports, name)) throw badOp(`has no attribute ${name}`);
  for (const [name, port] of Object.entries(ports)) {
    const attr = Object.hasOwn(attrs, name) ? attrs[name] : undefined;
    if (attr === undefined || !fitsAttr(attr, port.type)) {
      const wanted = typeof port.type === 'string' ? WANTED[port.type] : `one of ${port.type.join(', ')}`;
      const shown = typeof attr === 'number' ? String(attr) : JSON.stringify(attr);
      throw badOp(`attribute ${name} is ${shown}, must be ${wanted}: ${port.doc}`);
    }
  }
}

const WANTED: Readonly<Record<Extract<AttrPort['type'], string>, string>> = {
  number: 'a finite number',
  numbers: 'finite numbers',
  size: 'a whole number ≥ 1',
  index: 'a whole number ≥ 0',
  indices: 'whole numbers ≥ 0',
  epsilon: 'a number ≥ 0',
  boolean: 'true or false',
  string: 'a text',
  dim: 'a whole number ≥ 0 or a symbol',
  shape: 'whole numbers ≥ 0 and symbols',
};

function fitsAttr(attr: Attr, type: AttrPort['type']): boolean {
  const isDim = (item: Attr): boolean => typeof item === 'string' || isIndex(item);
  switch (type) {
    case 'boolean':
    case 'string':
      return typeof attr === type;
    case 'number':
      return Number.isFinite(attr);
    case 'epsilon':
      return Number.isFinite(attr) && Number(attr) >= 0;
    case 'size':
      return isIndex(attr) && attr !== 0;
    case 'index':
      return isIndex(attr);
    case 'dim':
      return isDim(attr);
    case 'numbers':
      return Array.isArray(attr) && attr.every(Number.isFinite);
    case 'indices':
      return Array.isArray(attr) && attr.every(isIndex);
    case 'shape':
      return Array.isArray(attr) && attr.every(isDim);
    default:
      return typeof attr === 'string' && type.includes(attr);
  }
}

function isIndex(attr: Attr): boolean {
  return Number.isSafeInteger(attr) && Number(attr) >= 0;
}

/** The type of an output whose pattern says it all; `undefined` for `*`. */
export function outputType(
  definition: OpDefinition,
  inputs: Readonly<Record<string, Value | undefined>>,
  name: string,
  port: Port,
  dims: Dims,
): TensorType | undefined {
  if (port.shape === '*') return undefined;
  const { state } = definition;
  const stateInput = state && Object.entries(state).find(([, output]) => output === name)?.[0];
  const stateful = stateInput === undefined ? undefined : inputs[stateInput];
  if (stateful !== undefined) return { dtype: stateful.dtype, shape: stateful.shape };
  const shape = tokens(port.shape).map((token) => resolve(token, dims));
  return { dtype: port.dtype === 'i32' ? 'i32' : 'f32', shape };
}

function pooled(pattern: string): string {
  return pattern.replace(/^S\b/, 'Z');
}

/** A dimension of a pattern: a number, or a letter and what is added to it. */
type Token = number | ReturnType<typeof parseDim>;

/** Patterns taken apart: there are as many as the definitions of ops have. */
const parsed = new Map<string, readonly Token[]>();

function tokens(pattern: string): readonly Token[] {
  const known = parsed.get(pattern);
  if (known !== undefined) return known;
  const words = pattern === '' ? [] : pattern.split(' ');
  const made = words.map((word) => (/^\d+$/.test(word) ? Number(word) : parseDim(word)));
  parsed.set(pattern, made);
  return made;
}

function checkDtype(name: string, port: Port, value: Value): void {
  const wanted = port.dtype ?? 'f32';
  const fits =
    wanted === 'weight'
      ? value.dtype !== 'i32'
      : wanted === 'any'
        ? value.dtype === 'f32' || value.dtype === 'i32'
        : value.dtype === wanted;
  if (!fits) throw badOp(`input ${name} is ${formatType(value)}, must be ${wanted}: ${port.doc}`);
}

function bindShape(name: string, pattern: string, value: Value, bound: Record<string, Dim>): void {
  const wanted = tokens(pattern);
  const fail = (): never => {
    throw badOp(
      `input ${name} is ${formatType(value)}, must have shape [${wanted.map((token) => show(token, bound))}]`,
    );
  };
  if (wanted.length !== value.shape.length) fail();
  for (const [axis, token] of wanted.entries()) {
    const dim = value.shape[axis] ?? 0;
    if (typeof token === 'number') {
      if (dim !== token) fail();
      continue;
    }
    const base = token.plus === 0 ? dim : subtract(dim, token.plus);
    const known = bound[token.symbol] ?? base;
    if (base === undefined || known !== base) fail();
    else bound[token.symbol] = base;
  }
}

function show(token: Token, bound: Dims): string {
  if (typeof token === 'number') return `${token}`;
  const { symbol, plus } = token;
  const [known, name] = [bound[symbol], plus === 0 ? symbol : `${symbol}+${plus}`];
  return known === undefined ? name : `${name}=${add(known, plus)}`;
}

function resolve(token: Token, dims: Dims): Dim {
  if (typeof token === 'number') return token;
  const dim = dims[token.symbol];
  if (dim === undefined) throw badOp(`dimension ${token.symbol} is not bound by any input`);
  return add(dim, token.plus);
}

function add(dim: Dim, plus: number): Dim {
  if (plus === 0) return dim;
  if (typeof dim === 'number') return dim + plus;
  const parsed = parseDim(dim);
  const total = parsed.plus + plus;
  return total === 0 ? parsed.symbol : `${parsed.symbol}+${total}`;
}

function subtract(dim: Dim, minus: number): Dim | undefined {
  if (typeof dim === 'number') return dim >= minus ? dim - minus : undefined;
  const parsed = parseDim(dim);
  if (parsed.plus < minus) return undefined;
  return parsed.plus === minus ? parsed.symbol : `${parsed.symbol}+${parsed.plus - minus}`;
}
