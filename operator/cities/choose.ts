import type { WorkerView } from "../workers/roster.ts";
import type { Loads } from "./loads.ts";
import { pinnedAmong } from "./pin.ts";
import { newestVersion } from "./rollout.ts";
import type { CityView, FleetView } from "./view.ts";

/** Which worker gets a city: the least loaded of its pool, among those that can be expected to keep it; or the one that
 * a person pinned it to. Pure. */

/** How far above the pool's mean load the workers of a new version are filled before older ones get anything. */
const ROLLOUT_ROOM = 1.5;

/** The workers of one pool that may be given a city now. */
export type Candidates = {
  /** Live, and on good terms with the database as far as any of them is. */
  readonly all: readonly WorkerView[];
  /** Those that a rollout will leave in place; `all` while there is none. */
  readonly lasting: readonly WorkerView[];
  /** All that will go on carrying cities, also who is late or without the database just now. */
  readonly staying: readonly WorkerView[];
  /**
   * Of those that a rollout will leave in place, some were there when this operator began to look and will show within a heartbeat
   * whether they live. Who can wait for them is not crowded onto the others, and spared a move back.
   */
  readonly areLastingJoining: boolean;
  /** Weight of the pool's cities per capacity of its candidates. */
  readonly meanLoad: number;
};

export function candidatesByPool(
  view: FleetView,
  isolated: ReadonlySet<string>,
): (pool: string) => Candidates {
  const weights = new Map<string, number>();
  for (const { pool, weight } of view.cities) weights.set(pool, (weights.get(pool) ?? 0) + weight);
  const known = new Map<string, Candidates>();
  return (pool) => {
    const found = known.get(pool) ?? candidatesOf(view, isolated, pool, weights.get(pool) ?? 0);
    known.set(pool, found);
    return found;
  };
}

function candidatesOf(
  view: FleetView,
  isolated: ReadonlySet<string>,
  pool: string,
  weight: number,
): Candidates {
  const staying = [...view.workers.values()].filter(
    (worker) =>
      (worker.liveness === "live" || worker.liveness === "late") &&
      worker.pool === pool &&
      !isolated.has(worker.id),
  );
  const live = staying.filter(({ liveness }) => liveness === "live");
  const reachable = live.filter(({ isDatabaseReachable }) => isDatabaseReachable);
  const all = reachable.length > 0 ? reachable : live;
  const newest = newestVersion(view.workers, pool);
  const lasting = newest === undefined ? all : all.filter(({ version }) => version === newest);
  const areLastingJoining = [...view.workers.values()].some(
    (worker) =>
      worker.liveness === "joining" &&
      worker.pool === pool &&
      !isolated.has(worker.id) &&
      (newest === undefined || worker.version === newest),
  );
  const capacity = all.reduce((sum, worker) => sum + worker.capacity, 0);
  return { all, lasting, staying, areLastingJoining, meanLoad: capacity === 0 ? 0 : weight / capacity };
}

/** Undefined: nobody can take it now. `avoid`: the worker that it must leave. */
export function chooseWorker(
  city: Pick<CityView, "weight" | "pinnedWorker">,
  candidates: Candidates,
  loads: Loads,
  avoid?: string,
): WorkerView | undefined {
  const { all, lasting, meanLoad } = candidates;
  const pinned = pinnedAmong(city, candidates);
  if (pinned !== undefined && pinned.id !== avoid) return pinned;
  const best = loads.least(lasting, avoid);
  // The first of many new workers must not be given everything that the old ones held.
  const isRoomy =
    best !== undefined && loads.of(best) + city.weight / best.capacity <= ROLLOUT_ROOM * meanLoad;
  return lasting === all || isRoomy ? best : loads.least(all, avoid);
}
