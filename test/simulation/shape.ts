import { choose, randomStream, uniform } from "../../local/traffic/random.ts";

/** How large the world of a seed is, and for how long faults come: chosen by the seed, made smaller to narrow a failure. */
export type Shape = {
  readonly operators: number;
  readonly workers: number;
  readonly cities: readonly { readonly name: string; readonly periodMs: number }[];
  readonly heartbeatMs: number;
  readonly faultsForMs: number;
  /** Every process's clock is up to this much too fast or too slow: 0.0001 is 100 ppm. */
  readonly driftMax: number;
};

const PERIODS_MS = [1_000, 2_000, 3_000, 5_000, 10_000] as const;
const NAMES = ["madrid", "lisbon", "porto", "turin", "lyon", "ghent", "bremen", "graz"] as const;

export function shapeOf(seed: number): Shape {
  const random = randomStream(seed, "shape");
  const whole = (min: number, max: number): number => Math.floor(uniform(random, { min, max: max + 1 }));
  const cities = NAMES.slice(0, whole(1, random() < 0.25 ? 8 : 4)).map((name) => ({
    name,
    periodMs: choose(random, PERIODS_MS) ?? 1_000,
  }));
  return {
    operators: random() < 0.15 ? 1 : 2,
    workers: whole(2, random() < 0.3 ? 5 : 3),
    cities,
    heartbeatMs: choose(random, [2_000, 5_000]) ?? 5_000,
    faultsForMs: 60_000 * whole(5, 20),
    driftMax: 0.0001,
  };
}
