import { periodMsOf, taskSpecOf, type City, type CityCondition } from "../crds/city.ts";
import { decodeHeartbeat, type Lease } from "../crds/lease.ts";
import { cityViewOf, leaseViewOf } from "../operator/cities/city-view.ts";
import type { AuthorityView, CityView, FenceView, FleetView, LeaseView } from "../operator/cities/view.ts";
import { recentLosses } from "../operator/workers/losses.ts";
import type { Pod } from "../operator/workers/pod-evidence.ts";
import { Roster } from "../operator/workers/roster.ts";

/**
 * What a person can see of the fleet with kubectl, and the operator's own view of it. The operator knows two things better: it
 * watches heartbeats on its own clock, and reads fences from MySQL. Here a heartbeat is as old as its Lease says, and a City ticks,
 * stalls or is sealed as its status says. Pure.
 */

export type Picture = {
  /** Of this machine's clock, milliseconds since 1970. */
  readonly nowMs: number;
  readonly cities: readonly City[];
  readonly cityLeases: readonly Lease[];
  readonly workerLeases: readonly Lease[];
  readonly pods: readonly Pod[];
};

export function conditionOf(city: City, type: CityCondition["type"]): CityCondition | undefined {
  return city.status?.conditions?.find((condition) => condition.type === type);
}

/** Times of the view are those of the picture, so that `nowMs` is the same in both. */
export function fleetViewOf(picture: Picture): FleetView {
  const { nowMs } = picture;
  const workers = workersOf(picture);
  const leases = new Map(picture.cityLeases.map((lease) => [lease.metadata.name, leaseViewOf(lease)]));
  const authority = authorityOf(picture.cities, [...leases.values()]);
  const cities = picture.cities.map((city) =>
    cityViewFrom(city, leases.get(`city-${city.metadata.name}`), authority, nowMs),
  );
  return {
    nowMs,
    cities,
    workers,
    authority: authority.view,
    isDatabaseReachable: !picture.cities.some(
      (city) => conditionOf(city, "Dispatching")?.reason === "DatabaseUnreachable",
    ),
    shedBudget: 0,
    takeoverBudget: 0,
    lostMs: recentLosses({ cities, workers, before: new Map(), nowMs }),
  };
}

function workersOf({ nowMs, workerLeases, pods }: Picture): FleetView["workers"] {
  const roster = new Roster();
  for (const pod of pods) roster.podSeen(pod);
  for (const lease of workerLeases) {
    try {
      const heartbeat = decodeHeartbeat(lease);
      const renewedMs = Date.parse(lease.spec?.renewTime ?? "") || 0;
      roster.seen(heartbeat, lease, Math.min(nowMs, renewedMs), false);
      roster.confirmSilent(heartbeat.worker);
    } catch (error) {
      // As the operator does: a Lease that is no worker's is nobody's.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return roster.view(nowMs).workers;
}

type KnownAuthority = { readonly view: AuthorityView; readonly clusterUid: string; readonly epoch: bigint };

/** The epoch and the cluster that the latest Leases were written under. */
function authorityOf(cities: readonly City[], leases: readonly LeaseView[]): KnownAuthority {
  let clusterUid = "";
  let epoch = 1n;
  for (const { task } of leases) {
    if (task === undefined || BigInt(task.epoch) < epoch) continue;
    epoch = BigInt(task.epoch);
    clusterUid = task.clusterUid;
  }
  const isForeign = cities.some((city) => conditionOf(city, "Assigned")?.reason === "ForeignAuthority");
  const view: AuthorityView = isForeign
    ? { kind: "foreign", clusterUid: "another", epoch }
    : { kind: "ours", epoch };
  return { view, clusterUid, epoch };
}

function cityViewFrom(
  city: City,
  lease: LeaseView | undefined,
  { clusterUid, epoch }: KnownAuthority,
  nowMs: number,
): CityView {
  const periodMs = periodMsOf(city.spec);
  const movedMs = Date.parse(lease?.since ?? "") || undefined;
  const view = cityViewOf(
    {
      city,
      task: taskSpecOf(city, { clusterUid, epoch }, nowMs),
      periodMs,
      lease,
      fence: fenceOf(city, lease, epoch, nowMs),
      assignedMs: nowMs,
      movedMs,
      watchedSinceMs: nowMs,
    },
    nowMs,
  );
  const dispatching = conditionOf(city, "Dispatching");
  if (dispatching?.reason !== "Stalled") return view;
  const silentSinceMs = Date.parse(dispatching.lastTransitionTime) - view.stallAfterMs;
  return { ...view, assignedMs: silentSinceMs, watchedSinceMs: silentSinceMs };
}

/** The fence as far as the conditions tell of it. */
function fenceOf(
  city: City,
  lease: LeaseView | undefined,
  epoch: bigint,
  nowMs: number,
): FenceView | undefined {
  const isSealed = conditionOf(city, "Suspended")?.status === "True";
  const isTicking = conditionOf(city, "Dispatching")?.status === "True";
  if (lease === undefined || !(isSealed || isTicking)) return undefined;
  const { progress } = city.status ?? {};
  return {
    epoch,
    token: lease.token,
    holder: lease.worker,
    tick: BigInt(progress?.tick ?? 0),
    slotMs: progress === undefined ? undefined : Date.parse(progress.slot),
    claimedAtMs: Math.min(nowMs, Date.parse(lease.since ?? "") || 0),
    committedAtMs: nowMs,
    advancedMs: nowMs,
    dispatcherFailure: undefined,
  };
}
