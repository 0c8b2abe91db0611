import type { AssignReason } from "../cities/place.ts";
import {
  isStalled,
  PROGRESS_SLACK_MS,
  type CityView,
  type FenceView,
  type FleetView,
} from "../cities/view.ts";

/** What the service-level indicators say of one city. Pure. */

/** One of these for every City at any time. */
export const CITY_STATES = ["ticking", "late", "stalled", "unassigned", "suspended"] as const;
export type CityState = (typeof CITY_STATES)[number];

/** A commit older than this many periods is late: one slot was missed, or nearly. */
const LATE_AFTER_PERIODS = 2;

/** Whether anybody promised that it ticks. */
export function isExpected({ isSuspended, isDeleting }: CityView): boolean {
  return !isSuspended && !isDeleting;
}

/** `ageMs`: since the last commit. The operator learns of a commit a little later, which does not count against the city. */
export function isLate({ periodMs }: CityView, ageMs: number): boolean {
  return ageMs > LATE_AFTER_PERIODS * periodMs + PROGRESS_SLACK_MS;
}

export function stateOf(city: CityView, ageMs: number, view: FleetView): CityState {
  if (!isExpected(city)) return "suspended";
  if (city.lease?.worker === undefined) return "unassigned";
  if (isStalled(city, view)) return "stalled";
  return isLate(city, ageMs) ? "late" : "ticking";
}

/** The last commit of a city; times on the database's clock. */
export type Commit = {
  readonly tick: bigint;
  readonly slotMs: number;
  readonly committedAtMs: number;
  readonly periodMs: number;
};

/** Undefined: it has none. */
export function lastCommitOf({ fence, periodMs }: CityView): Commit | undefined {
  return fence === undefined ? undefined : commitOf(fence, periodMs);
}

function commitOf({ tick, slotMs, committedAtMs }: FenceView, periodMs: number): Commit | undefined {
  if (slotMs === undefined || committedAtMs === undefined) return undefined;
  return { tick, slotMs, committedAtMs, periodMs };
}

/**
 * Whether the commit is that of an earlier City of the name: a fence outlives its City. It compares the clocks of MySQL and the
 * API server, which is enough to leave the time between the two Cities out of the indicators.
 */
export function isOfEarlierCity({ committedAtMs }: Commit, { city }: CityView): boolean {
  const { creationTimestamp } = city.metadata;
  return creationTimestamp !== undefined && committedAtMs < Date.parse(creationTimestamp);
}

/**
 * Slots of the grid between two commits that have no tick, however many ticks were not seen on their own: ticks are numbered
 * without a gap, so there are as many slots with one. 0 where the period changed between them, and where the database went back.
 */
export function slotsMissedBetween(before: Commit, after: Commit): number {
  if (before.periodMs !== after.periodMs) return 0;
  const slots = Math.round((after.slotMs - before.slotMs) / after.periodMs);
  return Math.max(0, slots - ticksBetween(before, after));
}

/** 0 where the database went back. */
export function ticksBetween(before: Commit, after: Commit): number {
  return Math.max(0, Number(after.tick - before.tick));
}

/**
 * How much longer than a period nobody committed while the city changed hands, in milliseconds: from the last commit under
 * the former token to the first under the next one. Of ticks that were not seen on their own, each counts as one period.
 */
export function gapBeyondPeriodMs(before: Commit, after: Commit): number {
  const periodsMs = ticksBetween(before, after) * after.periodMs;
  return Math.max(0, after.committedAtMs - before.committedAtMs - periodsMs);
}

/** Planned, and unplanned. */
export const HANDOFF_REASONS = [
  "holder-draining",
  "spec-changed",
  "pool-changed",
  "pinned",
  "isolation",
  "balance",
] as const satisfies readonly AssignReason[];
export const TAKEOVER_REASONS = ["holder-gone", "stalled"] as const satisfies readonly AssignReason[];

export type MoveCause =
  | { readonly kind: "handoff"; readonly because: (typeof HANDOFF_REASONS)[number] }
  | { readonly kind: "takeover"; readonly because: (typeof TAKEOVER_REASONS)[number] };

/** Undefined: nobody had the city before. */
export function moveCauseOf(because: AssignReason): MoveCause | undefined {
  switch (because) {
    case "holder-gone":
    case "stalled":
      return { kind: "takeover", because };
    case "holder-draining":
    case "spec-changed":
    case "pool-changed":
    case "pinned":
    case "isolation":
    case "balance":
      return { kind: "handoff", because };
    case "new-city":
    case "resumed":
      return undefined;
    default:
      return because satisfies never;
  }
}
