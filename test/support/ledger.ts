import type { Row } from "../../db/pool.ts";
import { happensWithin } from "./until.ts";

/** What the tick ledger says of a run: the only witness of missed slots that no process can deceive. */

export type LedgerQuery = (
  sql: string,
  values?: readonly (string | number | bigint)[],
) => Promise<readonly Row[]>;

export type Ledger = {
  /** Milliseconds since 1970 on the clock that ticks are dated by. */
  databaseTimeMs(): Promise<number>;
  /** Waits until every city has a tick that is newer than `sinceMs` on the database's clock. */
  awaitTicks(cities: readonly string[], sinceMs: number, limitMs: number): Promise<void>;
  /** Slots between the first and the last tick since `sinceMs` that have no tick. */
  missedSlots(city: string, sinceMs: number): Promise<number>;
  /** Milliseconds from `sinceMs` to the first tick after it by anybody but `holder`; undefined: there is none yet. */
  firstCommitAfter(city: string, sinceMs: number, holder: string): Promise<number | undefined>;
  /** How often the ticks since `sinceMs` pass from one worker to another. */
  moves(city: string, sinceMs: number): Promise<number>;
  /** Who ticked how often since `sinceMs`, in turn, and where slots are missing: for a person to read. */
  course(city: string, sinceMs: number): Promise<string>;
};

export function createLedger(query: LedgerQuery): Ledger {
  const missedBetween = ([previous, row]: readonly [Row, Row]): number => {
    const distanceMs = Number(row["slot_ms"]) - Number(previous["slot_ms"]);
    return Math.round(distanceMs / Number(row["period_ms"])) - 1;
  };
  const ticksSince = (city: string, sinceMs: number): Promise<readonly Row[]> =>
    query(
      "SELECT slot_ms, period_ms, holder FROM tick WHERE city = ? AND UNIX_TIMESTAMP(committed_at) * 1000 >= ? ORDER BY tick",
      [city, sinceMs],
    );
  return {
    async databaseTimeMs() {
      const [row] = await query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS now_ms");
      return Number(row?.["now_ms"]);
    },
    async awaitTicks(cities, sinceMs, limitMs) {
      let silent: readonly string[] = cities;
      await happensWithin(
        limitMs,
        () => `a tick of ${silent.join(", ")}`,
        async () => {
          const rows = await query(
            "SELECT city FROM city_fence WHERE committed_at IS NOT NULL AND UNIX_TIMESTAMP(committed_at) * 1000 > ?",
            [sinceMs],
          ).catch(() => []);
          const ticking = new Set(rows.map((row) => row["city"]));
          silent = cities.filter((city) => !ticking.has(city));
          return silent.length === 0;
        },
      );
    },
    async missedSlots(city, sinceMs) {
      return pairs(await ticksSince(city, sinceMs)).reduce((missed, pair) => missed + missedBetween(pair), 0);
    },
    async firstCommitAfter(city, sinceMs, holder) {
      const [row] = await query(
        `SELECT CAST(UNIX_TIMESTAMP(MIN(committed_at)) * 1000 AS UNSIGNED) AS first_ms FROM tick
          WHERE city = ? AND UNIX_TIMESTAMP(committed_at) * 1000 > ? AND holder <> ?`,
        [city, sinceMs, holder],
      );
      const firstMs = row?.["first_ms"];
      return firstMs === null || firstMs === undefined ? undefined : Number(firstMs) - sinceMs;
    },
    async moves(city, sinceMs) {
      return pairs(await ticksSince(city, sinceMs)).filter(
        ([previous, row]) => previous["holder"] !== row["holder"],
      ).length;
    },
    async course(city, sinceMs) {
      const [first, ...rest] = await ticksSince(city, sinceMs);
      if (first === undefined) return "no tick";
      const parts: { text: string; ticks: number }[] = [{ text: beginning(first), ticks: 1 }];
      let previous = first;
      for (const row of rest) {
        const missed = missedBetween([previous, row]);
        if (missed > 0) parts.push({ text: `${missed} slots missed`, ticks: 0 });
        const last = parts.at(-1);
        if (last !== undefined && missed === 0 && row["holder"] === previous["holder"]) last.ticks += 1;
        else parts.push({ text: beginning(row), ticks: 1 });
        previous = row;
      }
      return parts.map(({ text, ticks }) => (ticks === 0 ? text : `${text} (${ticks} ticks)`)).join(", ");
    },
  };
}

function beginning(row: Row): string {
  const slot = new Date(Number(row["slot_ms"])).toISOString().slice(11, 23);
  return `${slot} ${String(row["holder"])}`;
}

/** Each row with the one before it. */
function pairs(rows: readonly Row[]): (readonly [Row, Row])[] {
  return rows.flatMap((row, index) => {
    const previous = rows[index - 1];
    return previous === undefined ? [] : [[previous, row] as const];
  });
}
