import { isDeepStrictEqual } from "node:util";
import type { WorkerView } from "../workers/roster.ts";
import { balance, leastLoaded, loadsOf, type Loads } from "./balance.ts";
import { isBeyondUs, isSealed, type CityView, type FleetView } from "./view.ts";

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
  /** Sealed and to be deleted: delete the Lease, let the City go. */
  | { readonly kind: "remove" };

export type WaitReason =
  | "foreign-authority"
  | "authority-unknown"
  | "no-workers"
  | "database-unreachable"
  /** Its holder is silent, but not yet for long enough. */
  | "holder-late";

/** Why a city gets a worker; the metrics count by these. */
export const ASSIGN_REASONS = [
  "new-city",
  "resumed",
  "spec-changed",
  "pool-changed",
  "holder-gone",
  "holder-draining",
  "balance",
] as const;

export type AssignReason = (typeof ASSIGN_REASONS)[number];

/** An assignment that does not hold any more, and why. */
type Orphan = {
  readonly city: CityView;
  readonly because: Exclude<AssignReason, "spec-changed" | "balance">;
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
  const settled: CityView[] = [];
  for (const city of view.cities) {
    const decision = settle(city, view);
    if (decision.kind === "orphan") orphans.push({ city, because: decision.because });
    else {
      decisions.set(city.name, decision);
      if (decision.kind === "keep") settled.push(city);
    }
  }
  const loads = loadsOf(view);
  orphans.sort(
    (left, right) => right.city.weight - left.city.weight || (left.city.name < right.city.name ? -1 : 1),
  );
  for (const orphan of orphans) decisions.set(orphan.city.name, placeOrphan(orphan, view, loads));
  for (const { city, worker } of balance(settled, view, loads)) {
    decisions.set(city, { kind: "assign", worker, because: "balance" });
  }
  return decisions;
}

function settle(city: CityView, view: FleetView): Need {
  if (view.authority.kind === "foreign") return settleForeign(city, view);
  if (view.authority.kind === "unknown") return { kind: "wait", because: "authority-unknown" };
  if (city.isDeleting) return settleDeleting(city);
  if (!city.hasFinalizer) return { kind: "adopt" };
  if (city.isSuspended) {
    if (city.lease === undefined || city.lease.worker !== undefined)
      return { kind: "unassign", because: "suspended" };
    return isSealed(city) ? { kind: "keep" } : { kind: "seal", because: "suspended" };
  }
  if (city.lease === undefined) return { kind: "orphan", because: "new-city" };
  if (city.lease.worker === undefined) return { kind: "orphan", because: "resumed" };
  return settleHeld(city, view.workers.get(city.lease.worker), view);
}

/** Another cluster hands out the tokens: nothing is assigned, but a City that is deleted here can go. */
function settleForeign(city: CityView, view: FleetView): Decision {
  if (!city.isDeleting) return { kind: "wait", because: "foreign-authority" };
  if (!city.hasFinalizer) return { kind: "keep" };
  if (city.lease?.worker !== undefined) return { kind: "unassign", because: "deleted" };
  return city.lease === undefined || isBeyondUs(city, view)
    ? { kind: "remove" }
    : { kind: "wait", because: "foreign-authority" };
}

function settleDeleting(city: CityView): Decision {
  if (!city.hasFinalizer) return { kind: "keep" };
  if (city.lease === undefined) return { kind: "remove" };
  if (city.lease.worker !== undefined) return { kind: "unassign", because: "deleted" };
  return isSealed(city) ? { kind: "remove" } : { kind: "seal", because: "deleted" };
}

function settleHeld(city: CityView, holder: WorkerView | undefined, view: FleetView): Need {
  if (holder === undefined || holder.liveness === "gone") {
    // Without the database nobody's commits can be seen, and nobody else could commit either.
    if (!view.isDatabaseReachable) return { kind: "wait", because: "database-unreachable" };
    return { kind: "orphan", because: "holder-gone" };
  }
  if (holder.pool !== city.pool) return { kind: "orphan", because: "pool-changed" };
  if (holder.liveness === "draining") return { kind: "orphan", because: "holder-draining" };
  if (!isDeepStrictEqual(city.lease?.task, city.task)) {
    return { kind: "assign", worker: holder.id, because: "spec-changed" };
  }
  // A late holder may still be ticking; the fence would make a move safe, but not cheap.
  if (holder.liveness === "late") return { kind: "wait", because: "holder-late" };
  return { kind: "keep" };
}

function placeOrphan({ city, because }: Orphan, view: FleetView, loads: Loads): Decision {
  const worker = leastLoaded(view.workers, city, loads);
  if (worker === undefined) return { kind: "wait", because: "no-workers" };
  const previous = city.lease?.worker === undefined ? undefined : view.workers.get(city.lease.worker);
  if (previous !== undefined) loads.remove(city, previous);
  loads.add(city, worker);
  return { kind: "assign", worker: worker.id, because };
}
