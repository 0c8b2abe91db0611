import type { WorkerView } from "../workers/roster.ts";
import { loadsOf } from "./loads.ts";
import { setbacksAfter } from "./setbacks.ts";
import { hasTicked, type CityView, type FleetView } from "./view.ts";
import type { Orphan } from "./place.ts";

/**
 * Cities that may kill their workers. One whose worker died before the city had ticked once is a suspect until it ticks.
 * Suspects get a worker that holds nothing else, so that the next death costs nobody but them: the least loaded worker is
 * cleared for them by planned moves, which cost no tick. Pure.
 */
export type Isolation = {
  /** The worker set apart in each pool that has suspects to place or to watch. */
  readonly workers: ReadonlyMap<string, WorkerView>;
  /** Cities to move off those workers, before any suspect may come. */
  readonly evacuees: readonly CityView[];
  isSuspect(orphan: Orphan): boolean;
};

export function isolate(view: FleetView, orphans: readonly Orphan[]): Isolation {
  const coming = orphans.filter(isSuspectOrphan);
  const present = view.cities.filter((city) => isHeldSuspect(city));
  const pools = new Set([...coming.map(({ city }) => city.pool), ...present.map(({ pool }) => pool)]);
  const workers = new Map<string, WorkerView>();
  for (const pool of pools) {
    const worker = workerApart(view, pool, present);
    if (worker !== undefined) workers.set(pool, worker);
  }
  const apart = new Set([...workers.values()].map(({ id }) => id));
  return {
    workers,
    // Where nobody is about to come, nobody has to go.
    evacuees: coming.length === 0 ? [] : view.cities.filter((city) => isGuest(city, apart)),
    isSuspect: isSuspectOrphan,
  };
}

function isSuspectOrphan({ city, because }: Orphan): boolean {
  return setbacksAfter(city, because).deaths > 0;
}

function isHeldSuspect(city: CityView): boolean {
  return city.lease?.worker !== undefined && city.lease.deaths > 0 && !hasTicked(city);
}

function isGuest(city: CityView, apart: ReadonlySet<string>): boolean {
  return city.lease?.worker !== undefined && apart.has(city.lease.worker) && !isHeldSuspect(city);
}

/** The one that holds suspects already, else the least loaded; nobody where that would leave no other worker. */
function workerApart(view: FleetView, pool: string, present: readonly CityView[]): WorkerView | undefined {
  const live = [...view.workers.values()].filter(
    (worker) => worker.pool === pool && worker.liveness === "live",
  );
  if (live.length < 2) return undefined;
  const holders = new Set(present.map(({ lease }) => lease?.worker));
  const chosen = live.filter(({ id }) => holders.has(id));
  return loadsOf(view).least(chosen.length > 0 ? chosen : live);
}
