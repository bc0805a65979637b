import { ReceptanceError } from '@receptance/core';

/** How the learning rate goes over the steps. */
export interface Schedule {
  /**
   * `cosine`: half a cosine from `rate` down to `finalRate`; `wsd` (warm up, stay, decay): `rate`, and linearly down to
   * `finalRate` in the last part; `constant`: `rate`. All climb linearly first.
   */
  readonly kind: 'cosine' | 'wsd' | 'constant';
  /** The largest. Default 1e-3. */
  readonly rate: number;
  /** In the last step. Default a hundredth of `rate`. */
  readonly finalRate: number;
  /** Steps until the rate is `rate`. Default 10. */
  readonly warmup: number;
  /** Of `wsd`: the part of all steps in which the rate goes down. Default 0.2. */
  readonly decay: number;
}

/** @throws ReceptanceError `BAD_OPTION` */
export function completeSchedule(given: Partial<Schedule> = {}): Schedule {
  const { kind = 'cosine', rate = 1e-3, finalRate = rate / 100, warmup = 10, decay = 0.2 } = given;
  if (!['cosine', 'wsd', 'constant'].includes(kind)) throw badSchedule(`kind is ${kind}`);
  if (!(rate > 0 && Number.isFinite(rate))) throw badSchedule(`rate is ${rate}`);
  if (!(finalRate >= 0 && finalRate <= rate)) throw badSchedule(`finalRate is ${finalRate}, beside a rate of ${rate}`);
  if (!Number.isSafeInteger(warmup) || warmup < 0) throw badSchedule(`warmup is ${warmup} steps`);
  if (!(decay >= 0 && decay <= 1)) throw badSchedule(`decay is ${decay}, a part of all steps`);
  return { kind, rate, finalRate, warmup, decay };
}

/** The rate of a step, counted from 0, of `steps`. */
export function rateAt({ kind, rate, finalRate, warmup, decay }: Schedule, step: number, steps: number): number {
  if (step < warmup) return (rate * (step + 1)) / warmup;
  const last = Math.max(1, steps - 1 - warmup);
  const done = Math.min(1, (step - warmup) / last);
  switch (kind) {
    case 'constant':
      return rate;
    case 'cosine':
      return finalRate + ((rate - finalRate) * (1 + Math.cos(Math.PI * done))) / 2;
    case 'wsd': {
      const part = decay * steps;
      const left = part === 0 ? 1 : Math.min(1, Math.max(0, (steps - 1 - step) / part));
      return finalRate + (rate - finalRate) * left;
    }
  }
}

function badSchedule(message: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', `the schedule cannot be: its ${message}`, {
    hint: 'rate > 0, 0 ≤ finalRate ≤ rate, warmup a number of steps, kind cosine, wsd or constant',
  });
}
