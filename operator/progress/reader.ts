import type { Database } from "../../db/pool.ts";
import { readProgress } from "../../db/progress.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { Authority } from "../authority.ts";
import type { Advance, Progress } from "./progress.ts";

/** Asks MySQL once a second for the fences that moved, and whose tokens they take: both of one moment. */

const INTERVAL_MS = 1_000;
const READ_LIMIT_MS = 2_000;
/** A commit becomes visible a little after the time that it carries, so each read looks back a little further. */
const OVERLAP_MS = 2_000;
/** A database that was restored from backup shows old fences, which nobody changed of late: so all are read now and then. */
const COMPLETE_INTERVAL_MS = 60_000;
/** After a longer gap nobody's ticks could be seen: that is our trouble, not theirs. */
const GAP_MS = 3_000;

export async function runProgressReader(
  input: {
    readonly database: Database;
    readonly progress: Progress;
    readonly clock: Clock;
    readonly log: Log;
    readonly authority: Pick<Authority, "learn">;
    readonly onAdvances: (advances: readonly Advance[]) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { database, progress, authority, clock, log } = input;
  let changedSinceMs: number | undefined;
  let completeMs = -Infinity;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    try {
      const isComplete = startedMs - completeMs >= COMPLETE_INTERVAL_MS;
      const reading = await withDeadline(
        { clock, what: "the progress reader", limitMs: READ_LIMIT_MS, signal },
        (limited) => readProgress(database, isComplete ? undefined : changedSinceMs, limited),
      );
      await authority.learn(reading.authority, startedMs, signal);
      const { databaseTimeMs, fences } = reading;
      if (isComplete) completeMs = startedMs;
      const nowMs = clock.monotonicMs();
      if (progress.lastReadMs !== undefined && nowMs - progress.lastReadMs > GAP_MS)
        progress.observeAfresh(nowMs);
      changedSinceMs = databaseTimeMs - OVERLAP_MS;
      input.onAdvances(progress.take({ databaseTimeMs, fences, isComplete, startedMs, nowMs }));
    } catch (error) {
      if (signal.aborted) return;
      if (!isOperational(error)) throw error;
      log.warn({ because: error.code, err: error }, "progress not read");
    }
    const restMs = INTERVAL_MS - (clock.monotonicMs() - startedMs);
    await clock.sleep(Math.max(50, restMs), signal).catch(() => undefined);
  }
}
