import { randomStream } from "../../../local/traffic/random.ts";
import type { Placement, Placer, WeightedCity } from "./placers.ts";

export type Scenario = { readonly cities: number; readonly workers: number };

export type Change = {
  /** Of each sample. */
  readonly tookMs: readonly number[];
  readonly moves: number;
  /** No placement can do with fewer: the cities of those who left, else none. */
  readonly movesMin: number;
  /** The most that a worker carries over the mean. */
  readonly imbalance: number;
};

export type Row = Scenario & {
  readonly placer: string;
  readonly initial: Change;
  /** One worker more. */
  readonly join: Change;
  /** One worker less. */
  readonly leave: Change;
  /** A hundredth of all workers less, at once. */
  readonly leaveMany: Change;
  /** One city in ten weighs something else. */
  readonly reweigh: Change;
};

const WEIGHT_MAX = 20;
/** Large ones take seconds, and vary by little. */
const SAMPLES_OF_SMALL = 5;
const SMALL_CITIES_MAX = 10_000;

/** All cases, each from the same first placement. Pure but for the clock. */
export function measurePlacer(placer: Placer, scenario: Scenario, seed: number): Row {
  const random = randomStream(seed, "weights");
  // Few are large: as with cities, the size falls with the rank.
  const cities = Array.from({ length: scenario.cities }, (_, index) => ({
    name: `city-${index}`,
    weight: Math.max(1, Math.round(WEIGHT_MAX * random() ** 4)),
  }));
  const workers = Array.from({ length: scenario.workers }, (_, index) => `worker-${index}`);
  const nowhere: Placement = new Map();
  const initial = apply(placer, { cities, workers, before: nowhere, isSettling: false });
  const before = initial.placement;
  const many = Math.max(2, Math.round(scenario.workers / 100));
  const reweighed = cities.map((city) =>
    random() < 0.1 ? { ...city, weight: Math.max(1, Math.round(WEIGHT_MAX * random() ** 4)) } : city,
  );
  const on = (changed: Partial<{ cities: typeof cities; workers: string[] }>, isSettling = true): Change =>
    apply(placer, { cities, workers, before, isSettling, ...changed }).change;
  return {
    ...scenario,
    placer: placer.name,
    initial: initial.change,
    join: on({ workers: [...workers, "worker-new"] }),
    leave: on({ workers: workers.slice(1) }),
    leaveMany: on({ workers: workers.slice(many) }),
    reweigh: on({ cities: reweighed }),
  };
}

function apply(
  placer: Placer,
  input: {
    readonly cities: readonly WeightedCity[];
    readonly workers: readonly string[];
    readonly before: Placement;
    readonly isSettling: boolean;
  },
): { readonly placement: Placement; readonly change: Change } {
  const { cities, workers, before } = input;
  const present = new Set(workers);
  const samples = Array.from({ length: cities.length <= SMALL_CITIES_MAX ? SAMPLES_OF_SMALL : 1 }, () =>
    placer.place(cities, workers, before),
  );
  const tookMs = samples.map((sample) => sample.tookMs);
  const first = samples[0]?.placement ?? before;
  // Whoever moves a little at a time is judged by where that ends, and by the time of one round.
  const placement = input.isSettling ? (placer.settle?.(cities, workers, first) ?? first) : first;
  let moves = 0;
  let movesMin = 0;
  for (const [city, worker] of before) {
    if (placement.get(city) !== worker) moves += 1;
    if (!present.has(worker)) movesMin += 1;
  }
  return {
    placement,
    change: { tookMs, moves, movesMin, imbalance: imbalanceOf(cities, workers, placement) },
  };
}

function imbalanceOf(
  cities: readonly WeightedCity[],
  workers: readonly string[],
  placement: Placement,
): number {
  const loads = new Map<string, number>();
  let total = 0;
  for (const { name, weight } of cities) {
    const worker = placement.get(name) ?? "";
    loads.set(worker, (loads.get(worker) ?? 0) + weight);
    total += weight;
  }
  return Math.max(...loads.values()) / (total / workers.length);
}
