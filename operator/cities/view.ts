import type { City, TaskSpec } from "../../crds/city.ts";
import type { FencingToken } from "../../crds/token.ts";
import type { WorkerView } from "../workers/roster.ts";

/** What the operator decides on: one plain, immutable picture of the fleet. Times are monotonic milliseconds. */

export type FleetView = {
  readonly nowMs: number;
  readonly cities: readonly CityView[];
  readonly workers: ReadonlyMap<string, WorkerView>;
  readonly authority: AuthorityView;
  /** Whether MySQL answered recently: without it nobody's commits can be seen, so nothing is moved for silence. */
  readonly isDatabaseReachable: boolean;
  /** How many cities may be moved now for no other reason than balance. */
  readonly shedBudget: number;
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
  readonly weight: number;
  readonly periodMs: number;
  readonly stallAfterMs: number;
  readonly lease: LeaseView | undefined;
  /** The fence and its last tick; undefined when MySQL has none for this city, or was not asked yet. */
  readonly fence: FenceView | undefined;
  /** When this operator last moved the city. */
  readonly movedMs: number | undefined;
  /** When this operator began to look at the city, afresh after trouble of its own. */
  readonly watchedSinceMs: number;
};

export type LeaseView = {
  readonly worker: string | undefined;
  readonly token: FencingToken;
  readonly task: TaskSpec | undefined;
  /** RFC 3339. */
  readonly since: string | undefined;
};

export type FenceView = {
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly holder: string | undefined;
  readonly tick: bigint;
  /** Milliseconds since 1970, on the database's clock. */
  readonly slotMs: number | undefined;
  readonly committedAtMs: number | undefined;
  /** Monotonic time of the last advance of the tick. */
  readonly advancedMs: number;
};

/**
 * Nothing that this cluster ever handed out can commit for the city any more: a cluster with a later epoch claimed it, or
 * nobody ever did.
 */
export function isBeyondUs(city: CityView, view: FleetView): boolean {
  if (view.authority.kind !== "foreign" || !view.isDatabaseReachable) return false;
  return city.fence === undefined || city.fence.epoch >= view.authority.epoch;
}

/** The fence was raised to the Lease's token on behalf of nobody: from then on nobody can commit. */
export function isSealed(city: CityView): boolean {
  return (
    city.lease !== undefined &&
    city.lease.worker === undefined &&
    city.fence !== undefined &&
    city.fence.holder === undefined &&
    city.fence.token >= city.lease.token
  );
}
