/** What is the same for every error of the project: a stable code to switch on, and what to do next. */
export interface ErrorDetails {
  /** What the person can do about it, in one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

const MARKER: unique symbol = Symbol.for('receptance.error') as never;

/**
 * The base of all errors thrown on purpose. `message` says what was wrong with which file, tensor or op;
 * `hint` says what to do; `code` is stable across versions.
 *
 * Use `ReceptanceError.isInstance(error)` instead of `instanceof`: it holds across duplicate copies of the package.
 */
export class ReceptanceError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ReceptanceError';
    this.code = code;
    this.hint = details.hint;
    Object.defineProperty(this, MARKER, { value: true });
  }

  static isInstance(error: unknown): error is ReceptanceError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}

/** A backend has no kernel for an op. `reason` is the backend's own word; the hint names where a kernel is added. */
export class UnsupportedOpError extends ReceptanceError {
  readonly backend: string;
  readonly op: string;
  readonly reason: string;

  constructor(backend: string, op: string, reason: string, scope = '') {
    super('UNSUPPORTED_OP', `${backend} cannot run ${op}${scope === '' ? '' : ` (in ${scope})`}: ${reason}`, {
      hint: `add packages/backend-${backend}/src/kernels/${op}.ts, or pass a kernel to the backend's options`,
    });
    this.backend = backend;
    this.op = op;
    this.reason = reason;
  }
}

/** A backend cannot be opened on this machine. The message says why, the hint what to do. */
export class BackendUnavailableError extends ReceptanceError {
  readonly backend: string;

  constructor(backend: string, reason: string, details: ErrorDetails) {
    super('BACKEND_UNAVAILABLE', `backend ${backend} is not available: ${reason}`, details);
    this.backend = backend;
  }
}
