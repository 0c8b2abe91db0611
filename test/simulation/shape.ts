import { choose, randomStream, uniform } from "../../local/traffic/random.ts";

/** How large the world of a seed is, and for how long faults come: chosen by the seed, made smaller to narrow a failure. */
export type Shape = {
  readonly operators: number;
  readonly workers: number;
  readonly cities: readonly { readonly name: string; readonly periodMs: number }[];
  /** What people choose from when they change a City's period. */
  readonly periodsMs: readonly number[];
  readonly heartbeatMs: number;
  readonly faultsForMs: number;
  /** Every process's clock is up to this much too fast or too slow: 0.0001 is 100 ppm. */
  readonly driftMax: number;
};

/** What is told apart by how time relates to it: ticks that come faster than anything else happens, or slower. */
type Pace = {
  readonly periodsMs: readonly number[];
  readonly heartbeatsMs: readonly number[];
  readonly faultsForMinutes: { readonly min: number; readonly max: number };
};
const BRISK: Pace = {
  periodsMs: [1_000, 2_000, 3_000, 5_000, 10_000],
  heartbeatsMs: [2_000, 5_000],
  faultsForMinutes: { min: 2, max: 10 },
};
/** A period is longer than an election, a silence that makes a worker gone, and a watch that is given up. */
const SLOW: Pace = {
  periodsMs: [30_000, 60_000, 300_000],
  heartbeatsMs: [10_000, 20_000],
  faultsForMinutes: { min: 30, max: 90 },
};
const SLOW_SHARE = 0.2;
const NAMES = ["madrid", "lisbon", "porto", "turin", "lyon", "ghent", "bremen", "graz"] as const;

export function shapeOf(seed: number): Shape {
  const random = randomStream(seed, "shape");
  const whole = (min: number, max: number): number => Math.floor(uniform(random, { min, max: max + 1 }));
  const { periodsMs, heartbeatsMs, faultsForMinutes } = random() < SLOW_SHARE ? SLOW : BRISK;
  const cities = NAMES.slice(0, whole(1, random() < 0.25 ? 8 : 4)).map((name) => ({
    name,
    periodMs: choose(random, periodsMs) ?? 1_000,
  }));
  return {
    operators: random() < 0.15 ? 1 : 2,
    workers: whole(2, random() < 0.3 ? 5 : 3),
    cities,
    periodsMs,
    heartbeatMs: choose(random, heartbeatsMs) ?? 5_000,
    faultsForMs: 60_000 * whole(faultsForMinutes.min, faultsForMinutes.max),
    driftMax: 0.0001,
  };
}
