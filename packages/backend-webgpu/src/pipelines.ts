import { type OpenOptions, ReceptanceError } from '@receptance/core';
import { PARAMS_BYTES, type Program, type Shader } from './kernel.ts';

const COMPUTE_STAGE = 4;

/** A program's shader with its constants, compiled, and how its buffers are bound. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles each shader once for each set of constants, and keeps it as long as the device lives. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();

  readonly #prelude: string;

  /** @param prelude what is put before every shader */
  constructor(device: GPUDevice, prelude: string) {
    this.#device = device;
    this.#prelude = prelude;
  }

  /** The pipelines of all programs, in their order. @throws ReceptanceError `BAD_KERNEL` */
  async compile(programs: readonly Program[], { signal, onProgress }: OpenOptions): Promise<Pipeline[]> {
    signal?.throwIfAborted();
    const wanted = programs.map((program) => this.#get(program));
    const distinct = new Set(wanted);
    let done = 0;
    const report = (): void => onProgress?.({ what: 'compiling shaders', done: done++, total: distinct.size });
    report();
    await Promise.all([...distinct].map((pipeline) => pipeline.then(report)));
    signal?.throwIfAborted();
    return await Promise.all(wanted);
  }

  #get(program: Program): Promise<Pipeline> {
    const key = `${pipelineKey(program)}\n${program.shader.code}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const made = this.#make(program);
    this.#pipelines.set(key, made);
    return made;
  }

  async #make(program: Program): Promise<Pipeline> {
    const label = pipelineKey(program);
    const layout = this.#layout(program);
    // What is wrong with a shader is said by the rejection below; the scope keeps it from being reported twice.
    this.#device.pushErrorScope('validation');
    const module = this.#module(program.shader);
    const descriptor: GPUComputePipelineDescriptor = {
      label,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants: program.constants ?? {} },
    };
    const made = this.#device.createComputePipelineAsync(descriptor);
    const scope = this.#device.popErrorScope().catch(() => null);
    try {
      const gpu = await made;
      await scope;
      return { gpu, layout };
    } catch (cause) {
      await scope;
      throw await explain(label, module, cause);
    }
  }

  #module(shader: Shader): GPUShaderModule {
    const known = this.#modules.get(shader.code);
    if (known !== undefined) return known;
    const module = this.#device.createShaderModule({ label: shader.name, code: `${this.#prelude}\n${shader.code}` });
    this.#modules.set(shader.code, module);
    return module;
  }

  #layout(program: Program): GPUBindGroupLayout {
    const access = accessKey(program);
    const known = this.#layouts.get(access);
    if (known !== undefined) return known;
    const storage = program.bindings.map((binding, i): GPUBindGroupLayoutEntry => {
      const type = binding.access === 'read' ? 'read-only-storage' : 'storage';
      return { binding: i + 1, visibility: COMPUTE_STAGE, buffer: { type } };
    });
    const params: GPUBindGroupLayoutEntry = {
      binding: 0,
      visibility: COMPUTE_STAGE,
      buffer: { type: 'uniform', minBindingSize: PARAMS_BYTES },
    };
    const layout = this.#device.createBindGroupLayout({ label: access, entries: [params, ...storage] });
    this.#layouts.set(access, layout);
    return layout;
  }
}

/** What tells pipelines of one shader apart: `linear(TRANSPOSED=0) r r w`. */
export function pipelineKey(program: Program): string {
  const constants = Object.entries(program.constants ?? {}).map(([name, value]) => `${name}=${value}`);
  return `${program.shader.name}(${constants.join(', ')}) ${accessKey(program)}`;
}

function accessKey(program: Program): string {
  return program.bindings.map(({ access }) => access.charAt(0)).join(' ');
}

async function explain(label: string, module: GPUShaderModule, cause: unknown): Promise<ReceptanceError> {
  const info = await module.getCompilationInfo();
  const errors = info.messages
    .filter(({ type }) => type === 'error')
    .map(({ lineNum, message }) => `${lineNum}: ${message}`);
  const reason = errors.length > 0 ? errors.join('; ') : cause instanceof Error ? cause.message : String(cause);
  return new ReceptanceError('BAD_KERNEL', `shader ${label} does not compile: ${reason}`, {
    hint: 'lines are counted with the prelude before the shader',
    cause,
  });
}
