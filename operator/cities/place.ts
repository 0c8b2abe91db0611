import { isDeepStrictEqual } from "node:util";
import type { WorkerView } from "../workers/roster.ts";
import { balance } from "./balance.ts";
import { brakeOf, type Brake } from "./brake.ts";
import { candidatesByPool, chooseWorker, type Candidates } from "./choose.ts";
import { isolate, type Isolation } from "./isolation.ts";
import { loadsOf, type Loads } from "./loads.ts";
import { pinOf } from "./pin.ts";
import { patienceMs, restMs } from "./setbacks.ts";
import {
  isBehindFence,
  isBeyondUs,
  isReleased,
  isSealed,
  silenceMsOf,
  type CityView,
  type FleetView,
} from "./view.ts";

/** What is to be done about one city now, and why. */
export type Decision =
  /** As it should be. */
  | { readonly kind: "keep" }
  /** Something should be done but must wait; the reason is what the City's condition says. */
  | { readonly kind: "wait"; readonly because: WaitReason }
  /** Put our finalizer on the City, before anybody may hold it. */
  | { readonly kind: "adopt" }
  | { readonly kind: "assign"; readonly worker: string; readonly because: AssignReason }
  /** Write the Lease with no holder, then seal. */
  | { readonly kind: "unassign"; readonly because: "suspended" | "deleted" }
  /** Raise the fence to the token of a Lease that has no holder. */
  | { readonly kind: "seal"; readonly because: "suspended" | "deleted" }
  /**
   * To be deleted: delete the Lease, let the City go. It is sealed, or was never held; or nothing of ours can commit any more,
   * as long as the authority is foreign, which must be proven then.
   */
  | { readonly kind: "remove"; readonly because: "sealed" | "beyond-us" };

/** Why something that should be done must wait; the metrics count by these as well. */
export const WAIT_REASONS = [
  "foreign-authority",
  "authority-unknown",
  "no-workers",
  "database-unreachable",
  /** Its holder is silent, but not yet for long enough. */
  "holder-late",
  /** Its holder goes on ticking, but wants to be relieved, and nobody can take the city. */
  "no-successor",
  /** It stalled, but so did most others: nothing is moved for it. */
  "most-stalled",
  /** Its worker was lost with most others: nothing is moved yet, or not so many at once. */
  "most-lost",
  /** It may have killed its workers and rests before it gets another. */
  "resting",
  /** The same, while a worker is being cleared for it. */
  "isolating",
  /** It is pinned to a worker that cannot take it now, and stays where it is. */
  "pinned-elsewhere",
  /** The fence is ahead of its Lease: etcd may have gone back in time, which is being found out. */
  "fence-ahead",
] as const;

export type WaitReason = (typeof WAIT_REASONS)[number];

/** Why a city gets a worker; the metrics count by these. */
export const ASSIGN_REASONS = [
  "new-city",
  "resumed",
  "spec-changed",
  "pool-changed",
  "holder-gone",
  "holder-draining",
  "stalled",
  "pinned",
  "isolation",
  "balance",
] as const;

export type AssignReason = (typeof ASSIGN_REASONS)[number];

/** An assignment that does not hold any more, and why. */
export type Orphan = {
  readonly city: CityView;
  readonly because: Exclude<AssignReason, "spec-changed" | "pinned" | "isolation" | "balance">;
};

/** What one city needs, looked at by itself: a decision, or a new worker that is to be found beside the other orphans. */
type Need = Decision | { readonly kind: "orphan"; readonly because: Orphan["because"] };

/**
 * Where every city belongs: sticky, weighted, least moves. Every valid assignment is kept; orphans go largest first to the
 * least loaded worker of their pool; only what is left of the budget is spent on balance. Pure: same view, same answer.
 */
export function placeCities(view: FleetView): ReadonlyMap<string, Decision> {
  const decisions = new Map<string, Decision>();
  const orphans: Orphan[] = [];
  const settled = new Map<string, CityView>();
  const brake = brakeOf(view);
  for (const city of view.cities) {
    const decision = settle(city, view, brake);
    if (decision.kind === "orphan") orphans.push({ city, because: decision.because });
    else {
      decisions.set(city.name, decision);
      if (decision.kind === "keep") settled.set(city.name, city);
    }
  }
  orphans.sort(
    (left, right) => right.city.weight - left.city.weight || (left.city.name < right.city.name ? -1 : 1),
  );
  const isolation = isolate(view, orphans);
  const apart = new Set([...isolation.workers.values()].map(({ id }) => id));
  const placement: Placement = {
    view,
    brake,
    loads: loadsOf(view),
    isolation,
    candidatesIn: candidatesByPool(view, apart),
    takeoversLeft: view.takeoverBudget,
  };
  for (const orphan of orphans) decisions.set(orphan.city.name, placeOrphan(orphan, placement));
  for (const city of view.cities) {
    if (city.pinnedWorker !== undefined) followPin(city, decisions, settled, placement);
  }
  for (const city of isolation.evacuees) {
    if (!settled.delete(city.name)) continue;
    const worker = take(city, placement);
    if (worker !== undefined) decisions.set(city.name, { kind: "assign", worker, because: "isolation" });
  }
  for (const { city, worker } of balance(
    [...settled.values()],
    view,
    placement.loads,
    placement.candidatesIn,
  )) {
    decisions.set(city, { kind: "assign", worker, because: "balance" });
  }
  return decisions;
}

function settle(city: CityView, view: FleetView, brake: Brake): Need {
  if (view.authority.kind === "foreign") return settleForeign(city, view);
  if (view.authority.kind === "unknown") return { kind: "wait", because: "authority-unknown" };
  if (isBehindFence(city, view)) return { kind: "wait", because: "fence-ahead" };
  if (city.isDeleting) return settleDeleting(city, view);
  if (!city.hasFinalizer) return { kind: "adopt" };
  if (city.isSuspended) {
    if (!isReleased(city)) return { kind: "unassign", because: "suspended" };
    return isSealed(city, view) ? { kind: "keep" } : { kind: "seal", because: "suspended" };
  }
  if (city.lease === undefined) return { kind: "orphan", because: "new-city" };
  if (city.lease.worker === undefined) return { kind: "orphan", because: "resumed" };
  return settleHeld(city, view.workers.get(city.lease.worker), view, brake);
}

/** Another cluster hands out the tokens: nothing is assigned, but a City that is deleted here can go. */
function settleForeign(city: CityView, view: FleetView): Decision {
  if (!city.isDeleting) return { kind: "wait", because: "foreign-authority" };
  if (!city.hasFinalizer) return { kind: "keep" };
  if (city.lease?.worker !== undefined) return { kind: "unassign", because: "deleted" };
  return city.lease === undefined || isBeyondUs(city, view)
    ? { kind: "remove", because: "beyond-us" }
    : { kind: "wait", because: "foreign-authority" };
}

function settleDeleting(city: CityView, view: FleetView): Decision {
  if (!city.hasFinalizer) return { kind: "keep" };
  // Somebody took the Lease away by hand, and whoever held it may tick on: a new one brings the token to seal with.
  if (city.lease === undefined && !view.isDatabaseReachable)
    return { kind: "wait", because: "database-unreachable" };
  if (city.lease === undefined && city.fence?.holder === undefined)
    return { kind: "remove", because: "sealed" };
  if (city.lease === undefined || city.lease.worker !== undefined)
    return { kind: "unassign", because: "deleted" };
  return isSealed(city, view) ? { kind: "remove", because: "sealed" } : { kind: "seal", because: "deleted" };
}

function settleHeld(city: CityView, holder: WorkerView | undefined, view: FleetView, brake: Brake): Need {
  if (holder === undefined || holder.liveness === "gone") return settleLost(city, view, brake);
  if (holder.pool !== city.pool) return { kind: "orphan", because: "pool-changed" };
  if (holder.liveness === "draining") return { kind: "orphan", because: "holder-draining" };
  if (!isDeepStrictEqual(city.lease?.task, city.task)) {
    return { kind: "assign", worker: holder.id, because: "spec-changed" };
  }
  if (view.isDatabaseReachable && silenceMsOf(city, view) >= patienceMs(city)) {
    return brake.holdsStalled
      ? { kind: "wait", because: "most-stalled" }
      : { kind: "orphan", because: "stalled" };
  }
  // A late holder may still be ticking; the fence would make a move safe, but not cheap.
  if (holder.liveness === "late") return { kind: "wait", because: "holder-late" };
  return { kind: "keep" };
}

function settleLost(city: CityView, view: FleetView, brake: Brake): Need {
  // Without the database nobody's commits can be seen, and nobody else could commit either.
  if (!view.isDatabaseReachable) return { kind: "wait", because: "database-unreachable" };
  if (brake.lost === "hold") return { kind: "wait", because: "most-lost" };
  if (silenceMsOf(city, view) < restMs(city)) return { kind: "wait", because: "resting" };
  return { kind: "orphan", because: "holder-gone" };
}

/** What finding workers for the orphans goes by; the loads and the budget change with every city placed. */
type Placement = {
  readonly view: FleetView;
  readonly brake: Brake;
  readonly loads: Loads;
  readonly isolation: Isolation;
  readonly candidatesIn: (pool: string) => Candidates;
  takeoversLeft: number;
};

function placeOrphan(orphan: Orphan, placement: Placement): Decision {
  const { city, because } = orphan;
  const { brake, isolation } = placement;
  if (because === "holder-gone" && brake.lost === "bounded") {
    if (placement.takeoversLeft < 1) return { kind: "wait", because: "most-lost" };
    placement.takeoversLeft -= 1;
  }
  const apart = isolation.isSuspect(orphan) ? isolation.workers.get(city.pool) : undefined;
  if (apart !== undefined) {
    const isCleared = !isolation.evacuees.some(({ lease }) => lease?.worker === apart.id);
    return isCleared ? { kind: "assign", worker: apart.id, because } : { kind: "wait", because: "isolating" };
  }
  // Its holder goes on ticking meanwhile. They join or turn out silent well before the drain of a Pod is over.
  const isWorthWaiting = because === "holder-draining" && placement.candidatesIn(city.pool).areLastingJoining;
  const worker = isWorthWaiting ? undefined : take(city, placement);
  if (worker !== undefined) return { kind: "assign", worker, because };
  switch (because) {
    case "holder-draining":
    case "pool-changed":
      return { kind: "wait", because: "no-successor" };
    case "stalled":
      return { kind: "keep" };
    case "new-city":
    case "resumed":
    case "holder-gone":
      return { kind: "wait", because: "no-workers" };
    default:
      return because satisfies never;
  }
}

/** A city that is well, but not where a person pinned it, is moved there, or says why it is not. */
function followPin(
  city: CityView,
  decisions: Map<string, Decision>,
  settled: Map<string, CityView>,
  { view, loads, candidatesIn }: Placement,
): void {
  const decision = decisions.get(city.name);
  // A pin is a change of the specification as well, which need not be written before the move.
  const isHeldStill = decision?.kind === "assign" && decision.because === "spec-changed";
  if (!isHeldStill && !settled.has(city.name)) return;
  const pin = pinOf(city, view, candidatesIn(city.pool));
  if (pin.kind === "none") return;
  settled.delete(city.name);
  if (pin.kind === "away") {
    if (!isHeldStill) decisions.set(city.name, { kind: "wait", because: "pinned-elsewhere" });
    return;
  }
  const holder = view.workers.get(city.lease?.worker ?? "");
  if (holder !== undefined) loads.remove(city, holder);
  loads.add(city, pin.to);
  decisions.set(city.name, { kind: "assign", worker: pin.to.id, because: "pinned" });
}

/** Finds the city another worker than its present one, and counts it there. */
function take(city: CityView, { view, loads, candidatesIn }: Placement): string | undefined {
  const previous = city.lease?.worker === undefined ? undefined : view.workers.get(city.lease.worker);
  const worker = chooseWorker(city, candidatesIn(city.pool), loads, previous?.id);
  if (worker === undefined) return undefined;
  if (previous !== undefined) loads.remove(city, previous);
  loads.add(city, worker);
  return worker.id;
}
