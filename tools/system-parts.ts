/** Parts of the system that some tests need and no package registry serves: how each is found, and how it is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.ts';

export interface SystemPart {
  readonly title: string;
  /** Shell commands for Debian, in order. They are the hint a person reads and what CI runs. */
  readonly install: readonly string[];
  readonly isPresent: () => boolean;
}

/** Where everything must be there: what cannot run is a failure. */
export const inCi: boolean = !['', 'false', undefined].includes(process.env['CI']);

const swiftshaderIcd = '/usr/lib/chromium/vk_swiftshader_icd.json';
export const chromium = '/usr/bin/chromium';
/** Debian's Chromium with its own software adapter for WebGPU; it fetches nothing when it starts. */
export const chromiumLaunch = {
  executablePath: chromium,
  args: [
    ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-sandbox', '--disable-quic'],
    ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ],
};
const libraryFolders = [
  '/usr/lib',
  '/usr/lib64',
  '/usr/local/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
];
const icdFolders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

function hasVulkanDriver(): boolean {
  if (process.env['VK_ICD_FILENAMES'] || process.env['VK_DRIVER_FILES'] || existsSync(swiftshaderIcd)) return true;
  return icdFolders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

const crate = 'packages/backend-wasm/crate';

/** The Rust that `rust-toolchain.toml` names there, with the target and the sources of `core`. */
function hasRust(): boolean {
  const ask = (...args: string[]): string => {
    const { status, stdout } = spawnSync('rustc', args, { cwd: join(root, crate), encoding: 'utf8' });
    return status === 0 ? stdout.trim() : '';
  };
  const target = ask('--print', 'target-libdir', '--target', 'wasm32-unknown-unknown');
  return existsSync(target) && existsSync(join(ask('--print', 'sysroot'), 'lib/rustlib/src/rust/library/core'));
}

/** Of this repository alone: other programs that read ONNX, to hold ours against. */
const pythonEnvironment = 'node_modules/.cache/python';
export const python: string = join(root, pythonEnvironment, 'bin/python');
const pythonPackages = ['numpy==2.4.6', 'onnx==1.23.2', 'onnxruntime==1.30.0'];

export const systemParts = {
  rust: {
    title: 'Rust (by rustup) of the version and with the parts that rust-toolchain.toml names',
    install: [`cd ${crate} && rustup toolchain install --no-self-update`],
    isPresent: hasRust,
  },
  python: {
    title: 'Python 3.11 with onnx and onnxruntime, in an environment of this repository',
    install: [
      `python3 -m venv ${pythonEnvironment}`,
      `${pythonEnvironment}/bin/pip install --quiet --disable-pip-version-check ${pythonPackages.join(' ')}`,
    ],
    isPresent: () => spawnSync(python, ['-c', 'import numpy, onnx, onnxruntime']).status === 0,
  },
  chromium: {
    title: 'Chromium',
    install: ['apt-get update', 'apt-get install -y --no-install-recommends libvulkan1 chromium'],
    isPresent: () => existsSync(chromium),
  },
  webgpu: {
    title: 'a Vulkan driver for WebGPU in Node',
    install: ['apt-get update', 'apt-get install -y --no-install-recommends libvulkan1 chromium'],
    isPresent: () =>
      process.platform !== 'linux' ||
      (libraryFolders.some((folder) => existsSync(`${folder}/libvulkan.so.1`)) && hasVulkanDriver()),
  },
} as const satisfies Record<string, SystemPart>;

export type SystemPartName = keyof typeof systemParts;

/** What a test process needs in its environment: Chromium's software driver, where no other driver was asked for. */
export function testEnvironment(): Record<string, string> {
  const chosen = process.env['VK_ICD_FILENAMES'] ?? process.env['VK_DRIVER_FILES'];
  return chosen === undefined && existsSync(swiftshaderIcd) ? { VK_ICD_FILENAMES: swiftshaderIcd } : {};
}
