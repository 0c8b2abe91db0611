import type { Database } from "./pool.ts";
import { textOrUndefined } from "./rows.ts";

export type PruneBatch = {
  /** Ticks that were forgotten. */
  readonly pruned: number;
  /** Continue after this city; undefined: that was the end, begin again. */
  readonly lastCity: string | undefined;
};

/**
 * Forgets ticks older than `keepMs`, in one small batch: at most `citiesMax` cities after `afterCity`, at most `ticksMax`
 * ticks of each. Called once a second with 100 cities, 10,000 cities are through in 100 s. Errors: those of Database.
 */
export async function pruneTicks(
  database: Database,
  batch: {
    readonly afterCity: string | undefined;
    readonly keepMs: number;
    readonly citiesMax: number;
    readonly ticksMax: number;
  },
  signal: AbortSignal,
): Promise<PruneBatch> {
  const { afterCity = "", keepMs, citiesMax, ticksMax } = batch;
  const [rows] = await database.call(
    "CALL prune_ticks(?, ?, ?, ?)",
    [afterCity, keepMs, citiesMax, ticksMax],
    signal,
  );
  const row = rows?.[0];
  return { pruned: Number(row?.["pruned"]), lastCity: textOrUndefined(row?.["last_city"]) };
}
