import { hash } from "node:crypto";
import type { CityView } from "../../../operator/cities/view.ts";
import { placeCities } from "../../../operator/cities/place.ts";
import { cityView, fenceView, fleetView, leaseView, workerView } from "../../support/fleet.ts";

/** Ways to say which worker has which city. */

export type WeightedCity = { readonly name: string; readonly weight: number };

/** City → worker. */
export type Placement = ReadonlyMap<string, string>;

export type Timed = { readonly placement: Placement; readonly tookMs: number };

export type Placer = {
  readonly name: string;
  /**
   * Where every city belongs now; `before` is where it was, for those who care. `tookMs`: processor time to decide, all
   * inputs being there.
   */
  place(cities: readonly WeightedCity[], workers: readonly string[], before: Placement): Timed;
  /** The same for one who moves a little at a time: what it comes to when nothing more happens. */
  settle?(cities: readonly WeightedCity[], workers: readonly string[], before: Placement): Placement;
};

/** More than any fleet needs to come to rest. */
const ROUNDS_MAX = 10_000;
/** The budget of a round; how soon it is there again does not change what is moved. */
const SHED_BUDGET = 4;
const POINTS_PER_WORKER = 100;
/** What a worker may hold over the mean: the ring's promise. */
const RING_BOUND = 1.25;
const NOBODY: ReadonlySet<string> = new Set();

/** `placeCities`, as the operator asks it. */
export const product: Placer = {
  name: "City operator",
  place: (cities, workers, before) => round({ cities, workers, before, moved: NOBODY, shedBudget: 0 }),
  settle(cities, workers, before) {
    let placement = before;
    // A city cools down after a move; none is moved twice here, as time stands still.
    const moved = new Set<string>();
    for (let count = 0; count < ROUNDS_MAX; count++) {
      const next = round({ cities, workers, before: placement, moved, shedBudget: SHED_BUDGET }).placement;
      const moves = [...next].filter(([city, worker]) => placement.get(city) !== worker);
      if (moves.length === 0) return placement;
      for (const [city] of moves) moved.add(city);
      placement = next;
    }
    throw new Error(`the placement did not come to rest within ${ROUNDS_MAX} rounds`);
  },
};

/** Views are made once per city and holder, as the operator keeps them. */
const views = new Map<string, CityView>();

function viewOf(city: WeightedCity, holder: string | undefined, isCooling: boolean): CityView {
  const known = views.get(city.name) ?? cityView(city.name, { fence: undefined });
  views.set(city.name, known);
  const lease =
    holder === undefined
      ? undefined
      : leaseView({ worker: holder, task: known.task, cityUid: known.city.metadata.uid });
  return {
    ...known,
    weight: city.weight,
    lease,
    // It has ticked: nobody suspects it of having killed a worker that is lost.
    fence: holder === undefined ? undefined : fenceView({ holder }),
    movedMs: isCooling ? Number.POSITIVE_INFINITY : undefined,
  };
}

function round(input: {
  readonly cities: readonly WeightedCity[];
  readonly workers: readonly string[];
  readonly before: Placement;
  readonly moved: ReadonlySet<string>;
  readonly shedBudget: number;
}): Timed {
  const { before, moved, shedBudget } = input;
  const view = fleetView({
    cities: input.cities.map((city) => viewOf(city, before.get(city.name), moved.has(city.name))),
    workers: input.workers.map((id) => workerView(id)),
    fields: { shedBudget },
  });
  const beginning = process.cpuUsage();
  const decisions = placeCities(view);
  const tookMs = cpuMsSince(beginning);
  const placement = new Map(
    view.cities.map(({ name }) => {
      const decision = decisions.get(name);
      return [name, decision?.kind === "assign" ? decision.worker : (before.get(name) ?? "")];
    }),
  );
  return { placement, tookMs };
}

/** Highest random weight: each city asks every worker, and goes to the one whose hash with it is the highest. */
export const rendezvous: Placer = {
  name: "rendezvous hashing",
  place(cities, workers) {
    return timed(() => {
      const seeds = workers.map((worker) => [worker, hash32(worker)] as const);
      return new Map(
        cities.map(({ name }) => {
          const key = hash32(name);
          let best = "";
          let highest = -1;
          for (const [worker, seed] of seeds) {
            const score = mix(key ^ seed);
            if (score > highest) [best, highest] = [worker, score];
          }
          return [name, best];
        }),
      );
    });
  },
};

/** Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): whoever is full passes the city on. */
export const boundedLoadRing: Placer = {
  name: "ring with bounded loads",
  place(cities, workers) {
    return timed(() => {
      const points = workers
        .flatMap((worker) =>
          Array.from({ length: POINTS_PER_WORKER }, (_, index) => ({
            worker,
            at: hash32(`${worker}#${index}`),
          })),
        )
        .toSorted((left, right) => left.at - right.at);
      const total = cities.reduce((sum, { weight }) => sum + weight, 0);
      const bound = Math.ceil((RING_BOUND * total) / workers.length);
      const loads = new Map<string, number>();
      return new Map(
        cities.map(({ name, weight }) => {
          for (let index = firstAtOrAfter(points, hash32(name)); ; index++) {
            const { worker } = points[index % points.length]!;
            const load = loads.get(worker) ?? 0;
            if (load + weight > bound) continue;
            loads.set(worker, load + weight);
            return [name, worker];
          }
        }),
      );
    });
  },
};

function timed(place: () => Placement): Timed {
  const before = process.cpuUsage();
  const placement = place();
  return { placement, tookMs: cpuMsSince(before) };
}

/** Processor time, which does not show what else the machine does. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function firstAtOrAfter(points: readonly { readonly at: number }[], at: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hash32(text: string): number {
  return Number.parseInt(hash("sha256", text).slice(0, 8), 16);
}

/** The finalizer of MurmurHash3, which spreads any 32 bits over all. */
function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
