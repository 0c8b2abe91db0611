import type { WorkerView } from "../workers/roster.ts";
import { Ranking } from "./ranking.ts";
import type { CityView, FleetView } from "./view.ts";

/** Only above this share of a pool's mean load is anything moved for balance: small differences are not worth a move. */
export const HYSTERESIS = 0.25;

/** Who carries how much: weight of the cities held, relative to the worker's capacity. */
export class Loads {
  readonly #weightByWorker = new Map<string, number>();
  readonly #citiesByZone = new Map<string, number>();
  /** Of each group that was asked for its least or most loaded one: a ranking per zone, within which only loads count. */
  readonly #rankings = new Map<readonly WorkerView[], readonly Ranking<WorkerView>[]>();

  add(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#change(worker, { weight: city.weight, cities: 1 });
  }

  remove(city: Pick<CityView, "weight">, worker: WorkerView): void {
    this.#change(worker, { weight: -city.weight, cities: -1 });
  }

  /** Weight per capacity. */
  of(worker: WorkerView): number {
    return this.#weightOf(worker) / worker.capacity;
  }

  /** The least loaded; among equals the one in the emptier zone, then the one with the smaller id. */
  least(workers: readonly WorkerView[], avoid?: string): WorkerView | undefined {
    let best: WorkerView | undefined;
    for (const ranking of this.#rankingsOf(workers)) {
      const worker = ranking.least(avoid);
      if (worker !== undefined && (best === undefined || this.#compare(worker, best) < 0)) best = worker;
    }
    return best;
  }

  /** The most loaded; the other way round in all. */
  most(workers: readonly WorkerView[]): WorkerView | undefined {
    let best: WorkerView | undefined;
    for (const ranking of this.#rankingsOf(workers)) {
      const worker = ranking.greatest();
      if (worker !== undefined && (best === undefined || this.#compare(worker, best) > 0)) best = worker;
    }
    return best;
  }

  #change(worker: WorkerView, by: { readonly weight: number; readonly cities: number }): void {
    const rankings = [...this.#rankings.values()].flat().filter((ranking) => ranking.has(worker));
    for (const ranking of rankings) ranking.takeOut(worker);
    this.#weightByWorker.set(worker.id, this.#weightOf(worker) + by.weight);
    this.#citiesByZone.set(worker.zone, this.#citiesIn(worker.zone) + by.cities);
    for (const ranking of rankings) ranking.putBack(worker);
  }

  #rankingsOf(workers: readonly WorkerView[]): readonly Ranking<WorkerView>[] {
    const known = this.#rankings.get(workers);
    if (known !== undefined) return known;
    const zones = [...Map.groupBy(workers, ({ zone }) => zone).values()];
    const rankings = zones.map((ofZone) => new Ranking(ofZone, (worker) => this.of(worker)));
    this.#rankings.set(workers, rankings);
    return rankings;
  }

  #compare(left: WorkerView, right: WorkerView): number {
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
