import type { WorkerView } from "../workers/roster.ts";
import type { CityView, FleetView } from "./view.ts";

/** Only above this share of a pool's mean load is anything moved for balance: small differences are not worth a move. */
export const HYSTERESIS = 0.25;

/** Who carries how much: weight of the cities held, relative to the worker's capacity. */
export class Loads {
  readonly #weightByWorker = new Map<string, number>();
  readonly #citiesByZone = new Map<string, number>();

  add(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#weightByWorker.set(worker.id, this.#weightOf(worker) + city.weight);
    this.#citiesByZone.set(worker.zone, this.#citiesIn(worker.zone) + 1);
  }

  remove(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#weightByWorker.set(worker.id, this.#weightOf(worker) - city.weight);
    this.#citiesByZone.set(worker.zone, this.#citiesIn(worker.zone) - 1);
  }

  /** Weight per capacity. */
  of(worker: WorkerView): number {
    return this.#weightOf(worker) / worker.capacity;
  }

  /** The least loaded; among equals the one in the emptier zone, then the one with the smaller id. */
  least(workers: Iterable<WorkerView>, avoid?: string): WorkerView | undefined {
    let best: WorkerView | undefined;
    for (const worker of workers) {
      if (worker.id !== avoid && (best === undefined || this.compare(worker, best) < 0)) best = worker;
    }
    return best;
  }

  compare(left: WorkerView, right: WorkerView): number {
    return (
      this.of(left) - this.of(right) ||
      this.#citiesIn(left.zone) - this.#citiesIn(right.zone) ||
      (left.id < right.id ? -1 : 1)
    );
  }

  #weightOf(worker: WorkerView): number {
    return this.#weightByWorker.get(worker.id) ?? 0;
  }

  #citiesIn(zone: string): number {
    return this.#citiesByZone.get(zone) ?? 0;
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
