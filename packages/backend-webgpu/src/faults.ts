import { ReceptanceError } from '@receptance/core';

/** How long after a failure a device is given to say that it is lost. */
const LOSS_MILLISECONDS = 100;

/**
 * What went wrong on the GPU after a call had returned. WebGPU reports such errors late and carries on with wrong
 * numbers; here every piece of work is done in an error scope, and nothing is read before all scopes have answered.
 */
export class Faults {
  readonly #device: GPUDevice;
  readonly #open = new Set<Promise<void>>();
  #fault: ReceptanceError | undefined;
  #ended: ReceptanceError | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
    device.addEventListener('uncapturederror', ({ error }) => this.#note(refused('work', error)));
    device.lost.then(({ reason, message }) => {
      this.#ended ??= new ReceptanceError('DEVICE_LOST', `the GPU device was lost (${reason}): ${message}`, {
        hint: 'await model.recover(): it opens a new device, loads the model again and goes back to the states last saved',
      });
    });
  }

  /** After this every call is refused. */
  end(): void {
    this.#ended ??= new ReceptanceError('DEVICE_CLOSED', 'the device is closed', { hint: 'open a new one' });
  }

  /** Does something whose errors the device reports later. `what` names it in the message. */
  guard<T>(what: string, body: () => T): T {
    this.#device.pushErrorScope('out-of-memory');
    this.#device.pushErrorScope('validation');
    try {
      return body();
    } finally {
      this.#await(this.#device.popErrorScope(), (error) => refused(what, error));
      this.#await(this.#device.popErrorScope(), (error) => outOfMemory(what, error));
    }
  }

  /** Refuses a lost or closed device. */
  checkOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** As `checkOpen`; and throws what else is known to have gone wrong, once. */
  check(): void {
    this.checkOpen();
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  }

  /** The loss of the device is told after calls have failed by it. */
  async settleLoss(): Promise<void> {
    await Promise.race([this.#device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_MILLISECONDS))]);
    this.check();
  }

  /** Waits until everything asked for has been checked, then as `check`. */
  async settle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
    this.check();
  }

  #await(scope: Promise<GPUError | null>, explain: (error: GPUError) => ReceptanceError): void {
    // A scope is rejected only when the device is lost, which `lost` reports better.
    const done = scope.then(
      (error) => {
        if (error !== null) this.#note(explain(error));
      },
      () => undefined,
    );
    this.#open.add(done);
    void done.then(() => this.#open.delete(done));
  }

  #note(fault: ReceptanceError): void {
    this.#fault ??= fault;
  }
}

function refused(what: string, { message }: GPUError): ReceptanceError {
  return new ReceptanceError('DEVICE_ERROR', `the GPU refused ${what}: ${message}`, {
    hint: 'this is a fault of the backend or of a contributed kernel; please report it',
  });
}

function outOfMemory(what: string, { message }: GPUError): ReceptanceError {
  return new ReceptanceError('OUT_OF_MEMORY', `the GPU has no memory left for ${what}: ${message}`, {
    hint: 'use a smaller model, fewer state slots or smaller limits, or free what is not used',
  });
}
