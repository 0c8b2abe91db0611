import { parseToken } from "../../crds/token.ts";
import { placeCities, type Decision } from "../../operator/cities/place.ts";
import type { CityView, FenceView, FleetView, LeaseView } from "../../operator/cities/view.ts";
import type { WorkerView } from "../../operator/workers/roster.ts";
import { cityOf, taskOf } from "./cities.ts";

/** Builders of the operator's view, with valid defaults: a city that has just been looked at for the first time. */

export const NOW_MS = 1_000_000;

export function workerView(id: string, fields: Partial<WorkerView> = {}): WorkerView {
  return {
    id,
    pod: id,
    pool: "default",
    zone: "a",
    capacity: 100,
    version: "1",
    bornAt: "2026-01-01T00:00:00Z",
    isDatabaseReachable: true,
    liveness: "live",
    ...fields,
  };
}

export function leaseView(fields: Partial<LeaseView> = {}): LeaseView {
  return {
    worker: undefined,
    token: parseToken("7"),
    task: undefined,
    cityUid: cityOf("madrid").metadata.uid,
    since: "2026-01-01T00:00:00.000000Z",
    because: undefined,
    setbacks: 0,
    deaths: 0,
    ...fields,
  };
}

/** A fence in our epoch, under the token that `leaseView` has unless told otherwise. */
export function fenceView(fields: Partial<FenceView> = {}): FenceView {
  return {
    epoch: 1n,
    token: parseToken("7"),
    holder: undefined,
    tick: 4n,
    slotMs: 1,
    claimedAtMs: 1,
    committedAtMs: 1,
    advancedMs: 0,
    dispatcherFailure: undefined,
    ...fields,
  };
}

/** A City with nobody; pass `holder` for one that is held, and dispatched, as it should be. */
export function cityView(
  name: string,
  fields: Partial<CityView> & { readonly holder?: string } = {},
): CityView {
  const { holder, ...rest } = fields;
  const city = fields.city ?? cityOf(name);
  const task = taskOf(city);
  return {
    name,
    city,
    task,
    isDeleting: false,
    hasFinalizer: true,
    isSuspended: city.spec.suspend,
    pool: city.spec.workerPool,
    weight: city.spec.weight ?? 1,
    periodMs: 1_000,
    stallAfterMs: 5_000,
    lease: holder === undefined ? undefined : leaseView({ worker: holder, task, cityUid: city.metadata.uid }),
    fence: undefined,
    assignedMs: 0,
    movedMs: undefined,
    watchedSinceMs: NOW_MS,
    ...rest,
  };
}

export function fleetView(input: {
  readonly cities: readonly CityView[];
  readonly workers: readonly WorkerView[];
  readonly fields?: Partial<FleetView>;
}): FleetView {
  return {
    nowMs: NOW_MS,
    cities: input.cities,
    workers: new Map(input.workers.map((worker) => [worker.id, worker])),
    authority: { kind: "ours", epoch: 1n },
    isDatabaseReachable: true,
    shedBudget: 0,
    takeoverBudget: 0,
    lostMs: new Map(),
    ...input.fields,
  };
}

/** What is decided for each city of such a fleet. */
export function decide(
  cities: readonly CityView[],
  workers: readonly WorkerView[],
  fields: Partial<FleetView> = {},
): Readonly<Record<string, Decision>> {
  return Object.fromEntries(placeCities(fleetView({ cities, workers, fields })));
}
