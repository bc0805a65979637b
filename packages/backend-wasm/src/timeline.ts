/** Work in the order it is asked for: at once while nothing is under way, else after what came before. */
export class Timeline {
  readonly #waiting: (() => Promise<void> | void)[] = [];
  #busy = false;

  /** Resolves with what the work gives, once all before it is done. */
  after<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add(() => {
        try {
          const result = work();
          if (result instanceof Promise) return result.then(resolve, reject);
          resolve(result);
        } catch (error) {
          reject(error);
        }
        return undefined;
      });
    });
  }

  /** For work that nobody waits for and that cannot fail. */
  soon(work: () => void): void {
    this.#add(work);
  }

  get busy(): boolean {
    return this.#busy;
  }

  #add(task: () => Promise<void> | void): void {
    this.#waiting.push(task);
    if (!this.#busy) this.#go();
  }

  #go(): void {
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      const running = task();
      if (running === undefined) continue;
      this.#busy = true;
      void running.then(() => {
        this.#busy = false;
        this.#go();
      });
      return;
    }
  }
}
