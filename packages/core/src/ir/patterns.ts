import { ReceptanceError } from '../errors.ts';
import type { AttrPort, Dims, OpDefinition, Port } from './definition.ts';
import { formatShape, formatType, parseDim } from './shape.ts';
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
  const ports: Readonly<Record<string, Port>> = { ...definition.inputs, ...definition.optional };
  for (const name of Object.keys(inputs)) {
    if (inputs[name] !== undefined && !Object.hasOwn(ports, name)) throw badOp(`has no input ${name}`);
  }
  const bound: Record<string, Dim> = {};
  for (const [name, port] of Object.entries(ports)) {
    const value = inputs[name];
    if (value === undefined) {
      if (Object.hasOwn(definition.inputs, name)) throw badOp(`misses input ${name}: ${port.doc}`);
      continue;
    }
    checkDtype(name, port, value);
    if (port.shape !== '*') bindShape(name, pooledShape(definition, inputs, name, port), value, bound);
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
  const stateInput = Object.entries(definition.state ?? {}).find(([, output]) => output === name)?.[0];
  const stateful = stateInput === undefined ? undefined : inputs[stateInput];
  if (stateful !== undefined) return { dtype: stateful.dtype, shape: stateful.shape };
  const shape = tokens(port.shape).map((token) => resolve(token, dims));
  return { dtype: port.dtype === 'i32' ? 'i32' : 'f32', shape };
}

function pooledShape(
  definition: OpDefinition,
  inputs: Readonly<Record<string, Value | undefined>>,
  name: string,
  port: Port,
): string {
  const isPool = inputs['slots'] !== undefined && definition.state !== undefined && name in definition.state;
  return isPool ? port.shape.replace(/^S\b/, 'Z') : port.shape;
}

function tokens(pattern: string): string[] {
  return pattern === '' ? [] : pattern.split(' ');
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
    const expected = formatShape(wanted.map((token) => (/^\d/.test(token) ? Number(token) : show(token, bound))));
    throw badOp(`input ${name} is ${formatType(value)}, must have shape ${expected}`);
  };
  if (wanted.length !== value.shape.length) fail();
  wanted.forEach((token, axis) => {
    const dim = value.shape[axis] ?? 0;
    if (/^\d+$/.test(token)) {
      if (dim !== Number(token)) fail();
      return;
    }
    const { symbol, plus } = parseDim(token);
    const base = subtract(dim, plus);
    const known = bound[symbol] ?? base;
    if (base === undefined || known !== base) fail();
    else bound[symbol] = base;
  });
}

function show(token: string, bound: Dims): string {
  const { symbol, plus } = parseDim(token);
  const known = bound[symbol];
  if (known === undefined) return token;
  return plus === 0 ? `${token}=${known}` : `${token}=${add(known, plus)}`;
}

function resolve(token: string, dims: Dims): Dim {
  if (/^\d+$/.test(token)) return Number(token);
  const { symbol, plus } = parseDim(token);
  const dim = dims[symbol];
  if (dim === undefined) throw badOp(`dimension ${symbol} is not bound by any input`);
  return add(dim, plus);
}

function add(dim: Dim, plus: number): Dim {
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
