import type { City, TaskSpec } from "../../crds/city.ts";
import type { Setbacks } from "../../crds/lease.ts";
import type { FencingToken } from "../../crds/token.ts";
import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";
import type { FenceProgress } from "../../db/progress.ts";
import type { WorkerView } from "../workers/roster.ts";

/** What the operator decides on: one plain, immutable picture of the fleet. Times are monotonic milliseconds. */

/** A tick is seen by the progress reader up to two of its rounds after it was committed. */
export const PROGRESS_SLACK_MS = 2_000;

export type FleetView = {
  readonly nowMs: number;
  readonly cities: readonly CityView[];
  readonly workers: ReadonlyMap<string, WorkerView>;
  readonly authority: AuthorityView;
  /** Whether MySQL answered recently: without it nobody's commits can be seen, so nothing is moved for silence. */
  readonly isDatabaseReachable: boolean;
  /** How many cities may be moved now for no other reason than balance. */
  readonly shedBudget: number;
  /** How many cities of lost workers may be moved now while the brake bounds them. */
  readonly takeoverBudget: number;
  /** Workers that were lost with cities in their hands, and when; those of long ago are left out. */
  readonly lostMs: ReadonlyMap<string, number>;
};

export type AuthorityView =
  | { readonly kind: "ours"; readonly epoch: bigint }
  /** Another cluster may hand out tokens for this database. */
  | { readonly kind: "foreign"; readonly clusterUid: string; readonly epoch: bigint }
  /** MySQL has not been asked successfully yet. */
  | { readonly kind: "unknown" };

export type CityView = {
  readonly name: string;
  readonly city: City;
  /** What the Lease should carry for the City as it is specified now. */
  readonly task: TaskSpec;
  readonly isDeleting: boolean;
  readonly hasFinalizer: boolean;
  readonly isSuspended: boolean;
  readonly pool: string;
  /** Id or Pod of the worker that a person wants to hold it for now; undefined: nobody does, or not any more. */
  readonly pinnedWorker: string | undefined;
  readonly weight: number;
  readonly periodMs: number;
  readonly stallAfterMs: number;
  readonly lease: LeaseView | undefined;
  /** The fence and its last tick; undefined when MySQL has none for this city, or was not asked yet. */
  readonly fence: FenceView | undefined;
  /** When this operator first saw the Lease's present token. */
  readonly assignedMs: number;
  /** When this operator last moved the city. */
  readonly movedMs: number | undefined;
  /** When this operator began to look at the city, afresh after trouble of its own. */
  readonly watchedSinceMs: number;
};

export type LeaseView = {
  readonly worker: string | undefined;
  readonly token: FencingToken;
  readonly task: TaskSpec | undefined;
  /** UID of the City that the Lease was written for. */
  readonly cityUid: string | undefined;
  /** RFC 3339. */
  readonly since: string | undefined;
  /** See Assignment. */
  readonly because: string | undefined;
} & Setbacks;

export type FenceView = {
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly holder: string | undefined;
  readonly tick: bigint;
  /** Milliseconds since 1970, on the database's clock. */
  readonly slotMs: number | undefined;
  readonly committedAtMs: number | undefined;
  /** When the token was claimed, on the same clock. */
  readonly claimedAtMs: number;
  /** Monotonic time of the last advance of the tick. */
  readonly advancedMs: number;
  /** Why the City's own dispatcher did not decide the last tick; undefined: it did. */
  readonly dispatcherFailure: DispatcherFailure | undefined;
};

/** What people are shown of the fleet: nothing is decided on it. Times on the database's clock. */
export type FleetLook = {
  readonly databaseNowMs: number;
  readonly isDatabaseReachable: boolean;
  readonly workers: ReadonlyMap<string, WorkerView>;
  readonly cities: readonly CityLook[];
};

export type CityLook = {
  readonly city: City;
  readonly periodMs: number;
  readonly lease: LeaseView | undefined;
  readonly fence: FenceProgress | undefined;
};

/**
 * Nothing that this cluster ever handed out can commit for the city any more: a cluster with a later epoch claimed it, or
 * nobody ever did.
 */
export function isBeyondUs(city: CityView, view: FleetView): boolean {
  if (view.authority.kind !== "foreign" || !view.isDatabaseReachable) return false;
  return city.fence === undefined || city.fence.epoch >= view.authority.epoch;
}

/**
 * Its Lease has no holder, and was written for the City as it is specified now. One that was written for an earlier pause is
 * no release: a write that was decided on when the City had been resumed may be late, and still meets its precondition.
 */
export function isReleased({ lease, task }: CityView): boolean {
  return lease !== undefined && lease.worker === undefined && lease.task?.generation === task.generation;
}

/** The fence was raised to the Lease's token on behalf of nobody: from then on nobody can commit. */
export function isSealed(city: CityView, view: FleetView): boolean {
  const { lease, fence } = city;
  return (
    view.authority.kind === "ours" &&
    lease !== undefined &&
    lease.worker === undefined &&
    fence !== undefined &&
    fence.holder === undefined &&
    fence.epoch === view.authority.epoch &&
    fence.token >= lease.token
  );
}

/**
 * How long the present assignment has brought no tick, in milliseconds of our own clock, within what we could see. Ticks of a
 * former holder do not count: whoever holds the city now may not know it.
 */
export function silenceMsOf({ lease, fence, watchedSinceMs, assignedMs }: CityView, view: FleetView): number {
  const isClaimed = fence !== undefined && fence.token === lease?.token;
  return view.nowMs - Math.max(watchedSinceMs, assignedMs, isClaimed ? fence.advancedMs : 0);
}

/** Somebody should tick it, and nobody has for `stallAfter`. */
export function isStalled(city: CityView, view: FleetView): boolean {
  return city.lease?.worker !== undefined && silenceMsOf(city, view) >= city.stallAfterMs;
}

/** Whether a tick was committed under the token of the present assignment. */
export function hasTicked({ lease, fence }: CityView): boolean {
  if (lease === undefined || fence?.committedAtMs === undefined) return false;
  return fence.token === lease.token && fence.committedAtMs >= fence.claimedAtMs;
}

/**
 * The fence has a token that this cluster had not handed out when we last looked at the Lease: either what we know of the
 * Lease is old, or etcd went back in time. Only a quorum read of the Lease tells.
 */
export function isBehindFence({ lease, fence }: CityView, view: FleetView): boolean {
  if (view.authority.kind !== "ours" || lease === undefined) return false;
  if (fence === undefined || fence.epoch !== view.authority.epoch) return false;
  return fence.token > lease.token || (fence.token === lease.token && fence.holder !== lease.worker);
}

/**
 * Whether our copy of the City may be from before somebody else decided on it: its Lease was written for a later generation
 * or for another City of that name; or nobody holds it, so that no Lease of ours is a precondition for what we do.
 */
export function mayBeStale({ city, lease, task }: CityView): boolean {
  if (lease?.worker === undefined || lease.cityUid !== city.metadata.uid) return true;
  return (lease.task?.generation ?? 0) > task.generation;
}
