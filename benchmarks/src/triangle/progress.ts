/** How far the trainings are, and how long the rest will take at the speed of those so far. */
export class Progress {
  readonly #all: number;
  readonly #status: (text: string) => void;
  #ended = 0;
  #began = 0;
  /** Trainings, whole and in parts, that were made since the beginning. */
  #made = 0;
  #own = 0;

  /** @param all trainings of the run */
  constructor(all: number, status: (text: string) => void) {
    this.#all = all;
    this.#status = status;
  }

  /** @param steps those of one training, tried rates included. @returns what is told after each of them */
  begin(name: string, steps: number): (loss: number) => void {
    if (this.#began === 0) this.#began = performance.now();
    this.#own = 0;
    return (loss) => {
      this.#own++;
      this.#made += 1 / steps;
      const perTraining = (performance.now() - this.#began) / this.#made;
      const left = perTraining * Math.max(0, this.#all - this.#ended - this.#own / steps);
      const where = `training ${this.#ended + 1} of ${this.#all}: ${name}, step ${this.#own} of ${steps}`;
      this.#status(`${where}, loss ${loss.toFixed(3)}, ${duration(left)} left`);
    };
  }

  end(): void {
    this.#ended++;
  }
}

export function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
