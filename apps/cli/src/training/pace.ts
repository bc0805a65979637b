import type { StepReport } from '@receptance/train';

/** How fast a training goes, as its last steps were: their mean counts as much as a whole past. */
export class Pace {
  #loss: number | undefined;
  #millisecondsPerStep: number | undefined;
  readonly #steps: number;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** A line for people: step, loss, tokens a second, time left. */
  line({ step, loss, tokens, milliseconds }: StepReport): string {
    this.#loss = blend(this.#loss, loss);
    const pace = blend(this.#millisecondsPerStep, milliseconds);
    this.#millisecondsPerStep = pace;
    const speed = Math.round((1000 * tokens) / pace).toLocaleString('en');
    const left = duration(((this.#steps - step) * pace) / 1000);
    return `step ${step}/${this.#steps}  loss ${this.#loss.toFixed(4)}  ${speed} tokens/s  ${left} left`;
  }
}

function blend(mean: number | undefined, value: number): number {
  return mean === undefined ? value : 0.95 * mean + 0.05 * value;
}

/** `1:02:03`, or `2:03` under an hour. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
