import type { Clock } from "../runtime/clock.ts";

/**
 * The database's clock, as this process reads it: its own monotonic clock plus an offset. Slots are named on this clock
 * so that every holder of a city means the same grid, whatever its own wall clock says.
 */
export type DatabaseClock = {
  nowMs(): number;
  /** Takes in one reading: the database said `databaseTimeMs` in an answer to a call that ran between the two instants. */
  observe(reading: {
    readonly databaseTimeMs: number;
    readonly sentAtMs: number;
    readonly receivedAtMs: number;
  }): void;
};

/** Readings older than this no longer bound the offset: two machines' clocks drift apart by less than 100 ppm. */
const READING_AGE_MAX_MS = 60_000;

/** Keeps the offset of the reading with the shortest round trip of the last minute: its error is at most half of that. */
export function createDatabaseClock(clock: Clock): DatabaseClock {
  let best: { readonly offsetMs: number; readonly roundTripMs: number; readonly atMs: number } | undefined;
  return {
    nowMs: () => (best === undefined ? clock.wallMs() : clock.monotonicMs() + best.offsetMs),
    observe({ databaseTimeMs, sentAtMs, receivedAtMs }) {
      const roundTripMs = receivedAtMs - sentAtMs;
      const offsetMs = databaseTimeMs - (sentAtMs + receivedAtMs) / 2;
      const isStale = best === undefined || receivedAtMs - best.atMs > READING_AGE_MAX_MS;
      // A reading that contradicts the best one by more than both can be wrong means that the database's clock was set.
      const hasJumped =
        best !== undefined && Math.abs(offsetMs - best.offsetMs) > (roundTripMs + best.roundTripMs) / 2 + 50;
      if (isStale || hasJumped || best === undefined || roundTripMs <= best.roundTripMs) {
        best = { offsetMs, roundTripMs, atMs: receivedAtMs };
      }
    },
  };
}
