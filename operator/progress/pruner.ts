import type { Database } from "../../db/pool.ts";
import { pruneExplanations } from "../../db/explanations.ts";
import { pruneTicks } from "../../db/prune.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";

/** Forgets old ticks of the ledger, and sooner the explanations beside them, in small batches: at this pace, 10,000 cities are through every 100 seconds. */

const INTERVAL_MS = 1_000;
const CITIES_PER_BATCH = 100;
const TICKS_PER_CITY = 1_000;
/** At this pace a second's batch is more than 10,000 cities write in it. */
const EXPLANATIONS_PER_BATCH = 2_000;
const PRUNE_LIMIT_MS = 10_000;
/** After the last city of a round: nothing grows old within a minute that could not wait. */
const ROUND_PAUSE_MS = 60_000;

export async function runPruner(
  input: {
    readonly database: Database;
    readonly clock: Clock;
    readonly log: Log;
    /** How long a tick is kept in the ledger. */
    readonly keepMs: number;
    /** How long explanations and records are kept beside it. */
    readonly keepExplanationsMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { database, clock, log, keepMs, keepExplanationsMs } = input;
  let afterCity: string | undefined;
  let isBehind = false;
  while (!signal.aborted) {
    try {
      const request = { afterCity, keepMs, citiesMax: CITIES_PER_BATCH, ticksMax: TICKS_PER_CITY };
      const batch = await withDeadline(
        { clock, what: "the pruning of ticks", limitMs: PRUNE_LIMIT_MS, signal },
        async (limited) => {
          const limits = { keepMs: keepExplanationsMs, rowsMax: EXPLANATIONS_PER_BATCH };
          isBehind = (await pruneExplanations(database, limits, limited)) === limits.rowsMax;
          return pruneTicks(database, request, limited);
        },
      );
      afterCity = batch.lastCity;
      if (batch.pruned > 0) log.debug({ count: batch.pruned }, "ticks pruned");
    } catch (error) {
      if (signal.aborted) return;
      if (!isOperational(error)) throw error;
      log.warn({ because: error.code, err: error }, "ticks not pruned");
    }
    const hasRest = afterCity === undefined && !isBehind;
    await clock.sleep(hasRest ? ROUND_PAUSE_MS : INTERVAL_MS, signal).catch(() => undefined);
  }
}
