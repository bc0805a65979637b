import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReceptanceError } from '@receptance/core';
import { type RemoteRunner, startRunner } from '../runner/spawn.ts';

export interface Peer {
  /** What pip installs. */
  readonly requirements: readonly string[];
  /** Of the environment in which pip builds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly script: string;
  /** What kind of file it reads. */
  readonly format: 'gguf' | 'safetensors';
}

/** On Linux it brings libraries for CUDA, which are not used: gigabytes that pip does not leave out. */
const TORCH = ['torch==2.15.0', 'safetensors==0.8.0', 'numpy==2.4.6'];

export const PEERS: Readonly<Record<string, Peer>> = {
  'llama-cpp': {
    requirements: ['llama-cpp-python==0.3.36', 'numpy'],
    environment: { CMAKE_ARGS: '-DGGML_NATIVE=ON', PIP_NO_BINARY: 'llama-cpp-python' },
    script: 'llama-cpp.py',
    format: 'gguf',
  },
  rwkv: {
    requirements: ['rwkv==0.8.32', ...TORCH],
    environment: {},
    script: 'rwkv-package.py',
    format: 'safetensors',
  },
  transformers: {
    requirements: ['transformers==5.24.0', ...TORCH],
    environment: {},
    script: 'transformers-rwkv4.py',
    format: 'safetensors',
  },
};

/** Programs that train, beside those that run models. */
export const TRAINING_PEERS: Readonly<Record<string, { readonly compiled: boolean }>> = {
  pytorch: { compiled: false },
  'pytorch-compiled': { compiled: true },
};

/** The environment that training peers share. */
export const TRAINING: Readonly<{ name: string; peer: Peer }> = {
  name: 'pytorch',
  peer: { requirements: TORCH, environment: {}, script: 'pytorch-train.py', format: 'safetensors' },
};

/** Where the virtual environments are: a folder for each peer. */
export function peersFolder(given: string | undefined): string {
  return given ?? process.env['RECEPTANCE_PEERS'] ?? fileURLToPath(new URL('../../.cache/peers', import.meta.url));
}

/** @throws ReceptanceError `UNKNOWN_PEER` */
export function peerNamed(name: string): Peer {
  const peer = Object.hasOwn(PEERS, name) ? PEERS[name] : undefined;
  if (peer !== undefined) return peer;
  throw new ReceptanceError('UNKNOWN_PEER', `there is no peer ${name}`, {
    hint: `peers are ${Object.keys(PEERS).join(', ')}`,
  });
}

export function pythonOf(name: string, folder: string): string {
  return join(folder, name, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
}

/** @throws ReceptanceError `UNKNOWN_PEER`, `PEER_MISSING` */
export function startTrainingPeer(
  name: string,
  folder: string,
): { readonly runner: RemoteRunner; readonly compiled: boolean } {
  const peer = Object.hasOwn(TRAINING_PEERS, name) ? TRAINING_PEERS[name] : undefined;
  if (peer !== undefined) return { runner: startIn(TRAINING.name, TRAINING.peer, folder), ...peer };
  throw new ReceptanceError('UNKNOWN_PEER', `there is no peer ${name} that trains`, {
    hint: `peers are ${Object.keys(TRAINING_PEERS).join(', ')}`,
  });
}

/** @throws ReceptanceError `PEER_MISSING` when it is not installed */
export function startPeer(name: string, folder: string): RemoteRunner {
  return startIn(name, peerNamed(name), folder);
}

function startIn(name: string, { script }: Peer, folder: string): RemoteRunner {
  const python = pythonOf(name, folder);
  if (!existsSync(python)) {
    throw new ReceptanceError('PEER_MISSING', `${name} is not installed in ${folder}`, {
      hint: `install it: npm run bench -- peers install ${name}`,
    });
  }
  // numpy's own threads would spin beside those that are measured.
  const environment = { OPENBLAS_NUM_THREADS: '1' };
  return startRunner(python, [fileURLToPath(new URL(script, import.meta.url))], environment);
}
