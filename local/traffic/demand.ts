import { exponential, type Random } from "./random.ts";

/** When customers order: a Poisson process whose rate follows the day, with a peak at lunch and a higher one at dinner. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const NIGHT_SHARE = 0.1;
const DAYTIME = { shareMore: 0.25, middleHour: 16.5, widthHours: 4.5 };
const LUNCH = { shareMore: 0.5, middleHour: 13, widthHours: 1.1 };
const DINNER = { shareMore: 0.75, middleHour: 20.2, widthHours: 1.4 };

/** The rate at this time of day as a share of the day's highest, more than 0 and at most 1. */
export function demandShare(worldMs: number): number {
  const hour = (((worldMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
  return Math.min(
    1,
    NIGHT_SHARE + [DAYTIME, LUNCH, DINNER].reduce((sum, hill) => sum + height(hill, hour), 0),
  );
}

function height(
  hill: { readonly shareMore: number; readonly middleHour: number; readonly widthHours: number },
  hour: number,
): number {
  const distance = Math.abs(hour - hill.middleHour);
  // The day is a circle: a dinner that runs past midnight goes on in the early morning.
  const hoursAway = Math.min(distance, 24 - distance);
  return hill.shareMore * Math.exp(-0.5 * (hoursAway / hill.widthHours) ** 2);
}

/** Endless times of arrival after `startMs`, by thinning a process that always has the peak's rate. */
export function* arrivals(input: {
  readonly startMs: number;
  readonly perHourAtPeak: number;
  readonly random: Random;
}): Generator<number, never> {
  let atMs = input.startMs;
  for (;;) {
    atMs += exponential(input.random, HOUR_MS / input.perHourAtPeak);
    if (input.random() < demandShare(atMs)) yield atMs;
  }
}
