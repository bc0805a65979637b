import type { Shader } from './kernel.ts';
import { type ShaderName, WGSL } from './shaders.gen.ts';

/** A shader of this package by the name of its file. */
export function shader(name: ShaderName): Shader {
  return { name, code: WGSL[name] };
}

/** The text that is put before every shader. */
export const PRELUDE: string = WGSL.prelude;
