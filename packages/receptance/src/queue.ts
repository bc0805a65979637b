/** Runs tasks one after the other, in the order they were asked for. A task that fails does not hold up the next. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();
  #tasks = 0;

  /** Nothing runs or waits. A task that has ended is not counted any more when its caller hears of it. */
  get idle(): boolean {
    return this.#tasks === 0;
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    this.#tasks++;
    const result = this.#last.then(task);
    const ended = (): void => {
      this.#tasks--;
    };
    this.#last = result.then(ended, ended);
    return result;
  }
}
