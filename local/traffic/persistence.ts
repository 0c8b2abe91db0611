import { withDeadline } from "../../runtime/abort.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";

/** How the company's services get over a database that is away: they ask again until it answers. */

const STATEMENT_LIMIT_MS = 5_000;
const BACKOFF = { firstMs: 50, maxMs: 1_000 };
/** A migration takes a procedure and its grants away for a moment; what is missing for longer is missing. */
const MISSING_LIMIT_MS = 5_000;
const MISSING = new Set(["database-denied", "database-schema"]);

export type PersistenceInput = {
  readonly clock: Clock;
  readonly log: Log;
  /** At least 0 and below 1: the jitter of the back-off. */
  readonly random: () => number;
};

/**
 * Repeats `work` until it gets an answer, each attempt with a deadline: through deadlocks, lost connections and restarts of
 * the server. So `work` must have its effect only once, however often it is sent. Throws what no repetition helps against,
 * and the signal's reason when it aborts.
 */
export async function untilAnswered<Result>(
  input: PersistenceInput,
  work: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const { clock, log, random } = input;
  const startedMs = clock.monotonicMs();
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await withDeadline(
        { clock, what: "a statement", limitMs: STATEMENT_LIMIT_MS, signal },
        work,
      );
      if (attempt > 0)
        log.info({ attempt, durationMs: clock.monotonicMs() - startedMs }, "database answered again");
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const mayHeal =
        isOperational(error) &&
        (error.remedy === "retry" ||
          (MISSING.has(error.code) && clock.monotonicMs() - startedMs < MISSING_LIMIT_MS));
      if (!mayHeal) throw error;
      if (attempt === 0) log.warn({ err: error, because: error.code }, "database call failed");
      await clock.sleep(backoffMs(BACKOFF, attempt, random), signal);
    }
  }
}
