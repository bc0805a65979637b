import type { Shader } from './kernel.ts';
import { type ShaderName, WGSL } from './shaders.gen.ts';

/** A shader of this package by the name of its file, with the texts that it shares with others put before it. */
export function shader(name: ShaderName, ...shared: readonly ShaderName[]): Shader {
  return { name, code: [...shared, name].map((part) => WGSL[part]).join('\n') };
}

/** The text that is put before every shader; where a device adds up over subgroups, that of `by: 'subgroups'`. */
export function preludeOf(by: 'subgroups' | 'memory'): string {
  return by === 'subgroups'
    ? `enable subgroups;\n${WGSL.prelude}\n${WGSL.sumsBySubgroups}`
    : `${WGSL.prelude}\n${WGSL.sumsByMemory}`;
}
