import type { RunningFleet } from "./running-fleet.ts";

/** What a stretch of time was like, from the ledgers of ticks and claims: no process is asked. Times are the database's. */

export type Stretch = { readonly sinceMs: number; readonly untilMs: number };

export type LedgerFigures = { readonly ticks: number; readonly missedSlots: number; readonly moves: number };

export async function ledgerFigures(fleet: RunningFleet, stretch: Stretch): Promise<LedgerFigures> {
  const between = [stretch.sinceMs, stretch.untilMs];
  const ticks = await fleet.number(
    "SELECT COUNT(*) FROM tick WHERE committed_at BETWEEN FROM_UNIXTIME(? / 1000) AND FROM_UNIXTIME(? / 1000)",
    between,
  );
  const missedSlots = await fleet.number(
    `SELECT COALESCE(SUM(GREATEST(0, ROUND((CAST(slot_ms AS SIGNED) - before_ms) / period_ms) - 1)), 0)
       FROM (SELECT slot_ms, period_ms, committed_at,
                    CAST(LAG(slot_ms) OVER (PARTITION BY city ORDER BY tick) AS SIGNED) AS before_ms FROM tick) AS pair
      WHERE before_ms IS NOT NULL
        AND committed_at BETWEEN FROM_UNIXTIME(? / 1000) AND FROM_UNIXTIME(? / 1000)`,
    between,
  );
  const moves = await fleet.number(
    `SELECT COUNT(*) FROM (SELECT holder, claimed_at, LAG(holder) OVER (PARTITION BY city ORDER BY claim) AS before_holder
                             FROM claim) AS pair
      WHERE before_holder IS NOT NULL AND holder <> before_holder
        AND claimed_at BETWEEN FROM_UNIXTIME(? / 1000) AND FROM_UNIXTIME(? / 1000)`,
    between,
  );
  return { ticks, missedSlots, moves };
}

/** The cities that these Pods hold, by their fences. */
export async function citiesOf(fleet: RunningFleet, pods: readonly string[]): Promise<readonly string[]> {
  const rows = await fleet.query("SELECT city, holder FROM city_fence WHERE holder IS NOT NULL");
  const wanted = new Set(pods);
  return rows.filter((row) => wanted.has(podOf(String(row["holder"])))).map((row) => String(row["city"]));
}

/** How many cities each Pod holds. */
export async function citiesByPod(fleet: RunningFleet): Promise<ReadonlyMap<string, number>> {
  const rows = await fleet.query(
    "SELECT holder, COUNT(*) AS cities FROM city_fence WHERE holder IS NOT NULL GROUP BY holder",
  );
  return new Map(rows.map((row) => [podOf(String(row["holder"])), Number(row["cities"])]));
}

/** Since when each of these cities is claimed, and when it last committed, relative to `sinceMs`. */
export async function recoveries(
  fleet: RunningFleet,
  cities: readonly string[],
  sinceMs: number,
): Promise<{ readonly claimedMs: readonly number[]; readonly committedMs: readonly number[] }> {
  const rows = await fleet.query(
    `SELECT city, CAST(UNIX_TIMESTAMP(claimed_at) * 1000 AS SIGNED) AS claimed_ms,
            (SELECT CAST(UNIX_TIMESTAMP(MIN(tick.committed_at)) * 1000 AS SIGNED) FROM tick
              WHERE tick.city = city_fence.city AND tick.committed_at >= city_fence.claimed_at) AS committed_ms
       FROM city_fence`,
  );
  const wanted = new Set(cities);
  const struck = rows.filter((row) => wanted.has(String(row["city"])));
  const relative = (field: string): number[] =>
    struck.map((row) => Number(row[field]) - sinceMs).toSorted((left, right) => left - right);
  return { claimedMs: relative("claimed_ms"), committedMs: relative("committed_ms") };
}

function podOf(worker: string): string {
  return worker.replace(/-[0-9a-f]+$/, "");
}
