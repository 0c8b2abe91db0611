import type { WorkerView } from "../workers/roster.ts";
import type { CityView, FleetView } from "./view.ts";

/** Load and how it is evened out: weight of the cities held, relative to the worker's capacity. */

/** Only above this share of a pool's mean load is anything moved for balance: small differences are not worth a move. */
const HYSTERESIS = 0.25;
/** A move must close at least this share of the difference between the two workers. */
const GAIN_MIN = 0.1;
/** A city that was moved stays where it is for this long, unless its holder goes. */
const COOL_DOWN_MS = 10_000;

export class Loads {
  readonly #weightByWorker = new Map<string, number>();
  readonly #citiesByZone = new Map<string, number>();

  add(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#weightByWorker.set(worker.id, this.#weightOf(worker) + city.weight);
    this.#citiesByZone.set(worker.zone, this.citiesIn(worker.zone) + 1);
  }

  remove(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#weightByWorker.set(worker.id, this.#weightOf(worker) - city.weight);
    this.#citiesByZone.set(worker.zone, this.citiesIn(worker.zone) - 1);
  }

  /** Weight per capacity. */
  of(worker: WorkerView): number {
    return this.#weightOf(worker) / worker.capacity;
  }

  citiesIn(zone: string): number {
    return this.#citiesByZone.get(zone) ?? 0;
  }

  #weightOf(worker: WorkerView): number {
    return this.#weightByWorker.get(worker.id) ?? 0;
  }
}

/** The load as the Leases say it. */
export function loadsOf(view: FleetView): Loads {
  const loads = new Loads();
  for (const city of view.cities) {
    const holder = city.lease?.worker === undefined ? undefined : view.workers.get(city.lease.worker);
    if (holder !== undefined) loads.add(city, holder);
  }
  return loads;
}

/** The live worker of the city's pool with the least load; among equals the emptier zone, then the smaller id. */
export function leastLoaded(
  workers: ReadonlyMap<string, WorkerView>,
  city: Pick<CityView, "pool">,
  loads: Loads,
): WorkerView | undefined {
  let best: WorkerView | undefined;
  for (const worker of workers.values()) {
    if (worker.liveness !== "live" || worker.pool !== city.pool) continue;
    if (best === undefined || compareByLoad(worker, best, loads) < 0) best = worker;
  }
  return best;
}

function compareByLoad(left: WorkerView, right: WorkerView, loads: Loads): number {
  return (
    loads.of(left) - loads.of(right) ||
    loads.citiesIn(left.zone) - loads.citiesIn(right.zone) ||
    (left.id < right.id ? -1 : 1)
  );
}

/**
 * Moves from the most to the least loaded worker of each pool, as many as the budget allows, each of which makes the
 * pool more even. Takes only cities that are where they should be and have cooled down.
 */
export function balance(
  settled: readonly CityView[],
  view: FleetView,
  loads: Loads,
): { readonly city: string; readonly worker: string }[] {
  const moves: { city: string; worker: string }[] = [];
  const candidates = settled
    .filter(({ movedMs }) => movedMs === undefined || view.nowMs - movedMs >= COOL_DOWN_MS)
    .toSorted((left, right) => right.weight - left.weight || (left.name < right.name ? -1 : 1));
  const moved = new Set<string>();
  for (const pool of new Set(candidates.map((city) => city.pool))) {
    const workers = [...view.workers.values()].filter(
      (worker) => worker.pool === pool && worker.liveness === "live",
    );
    while (moves.length < view.shedBudget) {
      const move = bestMove(candidates, moved, workers, loads);
      if (move === undefined) break;
      loads.remove(move.city, move.from);
      loads.add(move.city, move.to);
      moved.add(move.city.name);
      moves.push({ city: move.city.name, worker: move.to.id });
    }
  }
  return moves;
}

function bestMove(
  candidates: readonly CityView[],
  moved: ReadonlySet<string>,
  workers: readonly WorkerView[],
  loads: Loads,
): { readonly city: CityView; readonly from: WorkerView; readonly to: WorkerView } | undefined {
  const byLoad = workers.toSorted((left, right) => compareByLoad(left, right, loads));
  const to = byLoad[0];
  const from = byLoad.at(-1);
  if (to === undefined || from === undefined || to === from) return undefined;
  const mean = workers.reduce((sum, worker) => sum + loads.of(worker), 0) / workers.length;
  const difference = loads.of(from) - loads.of(to);
  if (difference <= mean * HYSTERESIS) return undefined;
  // The largest city whose move leaves the two clearly closer to each other: one that only swaps their loads would be
  // moved back and forth for ever.
  const city = candidates.find(
    ({ name, lease, weight }) =>
      lease?.worker === from.id &&
      !moved.has(name) &&
      weight / from.capacity + weight / to.capacity <= (2 - GAIN_MIN) * difference,
  );
  return city === undefined ? undefined : { city, from, to };
}
