import type { TickOutcome } from "./tick.ts";

/**
 * Whether a city's dispatch runs beside the others or apart from them. One that blocked, crashed or exhausted its thread
 * is a danger to those that share it: from then on it has the isolation thread, rests longer after each further failure,
 * and comes back when it has behaved for a while. Pure.
 *
 *     shared ──harm │ fruitless tenures before──▶ isolated ──GOOD_TICKS_TO_RETURN in a row──▶ shared
 */
export type Isolation =
  | { readonly kind: "shared" }
  | {
      readonly kind: "isolated";
      /** Committed ticks since the last harm. */
      readonly goodTicks: number;
      /** Times in a row that its dispatch did harm. */
      readonly failures: number;
    };

export const SHARED: Isolation = { kind: "shared" };
export const GOOD_TICKS_TO_RETURN = 10;
export const REST_MS_MAX = 5 * 60_000;

/** A worker that knows nothing bad of a city believes the City Lease: its tenures elsewhere may have come to nothing. */
export function isolationAtStart(known: Isolation | undefined, setbacks: number): Isolation {
  // A new tenure is a new attempt: it does not rest for what was long ago, but stays apart.
  if (known !== undefined) return known.kind === "isolated" ? { ...known, failures: 0 } : known;
  return setbacks > 0 ? { kind: "isolated", goodTicks: 0, failures: 0 } : SHARED;
}

/** `hasStandIn`: another dispatcher decides the next tick, so that there is nothing to rest for. */
export function isolationAfter(isolation: Isolation, outcome: TickOutcome, hasStandIn: boolean): Isolation {
  if (outcome.kind === "missed" && isHarm(outcome.because)) {
    if (hasStandIn) return { kind: "isolated", goodTicks: 0, failures: 0 };
    const failures = isolation.kind === "isolated" ? isolation.failures : 0;
    return { kind: "isolated", goodTicks: 0, failures: failures + 1 };
  }
  // What the database or a hand-over did to a tick says nothing about the city.
  if (outcome.kind !== "committed" || isolation.kind === "shared") return isolation;
  const goodTicks = isolation.goodTicks + 1;
  return goodTicks >= GOOD_TICKS_TO_RETURN ? SHARED : { kind: "isolated", goodTicks, failures: 0 };
}

/** How long the city rests before its next attempt: one period after the first failure, twice as long after each further. */
export function restMs(isolation: Isolation, periodMs: number): number {
  if (isolation.kind === "shared" || isolation.failures === 0) return 0;
  const longest = Math.max(REST_MS_MAX, periodMs);
  return Math.min(longest, periodMs * 2 ** Math.min(isolation.failures - 1, 30));
}

/** Its thread was lost; every other reason is that of a dispatch that never ran, or of a tick around it. */
function isHarm(because: string): boolean {
  return because === "dispatch-overrun" || because === "dispatch-crashed";
}
