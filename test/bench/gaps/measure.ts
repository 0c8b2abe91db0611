import type { Row } from "../../../db/pool.ts";
import type { Product } from "../../support/product.ts";

/** What an event cost, read from the ledgers of ticks and of claims: no process is asked. */
export type Cost = {
  /** Each city's longest time between two commits around the event, in milliseconds, smallest first. */
  readonly gapsMs: readonly number[];
  /** Slots without a tick, of these cities and of all others. */
  readonly missed: { readonly affected: number; readonly others: number };
  /** The most and the fewest moves that one of all cities made. */
  readonly moves: { readonly min: number; readonly max: number };
};

export type Window = {
  /** The cities that the event struck. */
  readonly affected: readonly string[];
  readonly sinceMs: number;
  readonly untilMs: number;
};

export type TickAt = {
  readonly city: string;
  readonly atMs: number;
  readonly slotMs: number;
  readonly periodMs: number;
};

export type ClaimAt = { readonly city: string; readonly atMs: number; readonly holder: string };

/** To find the last commit before an event. */
const LOOK_BACK_MS = 5_000;
const READ_LIMIT_MS = 60_000;

export async function readCost(product: Product, cities: readonly string[], window: Window): Promise<Cost> {
  const signal = AbortSignal.timeout(READ_LIMIT_MS);
  const ticks = await product.database.query(
    `SELECT city, slot_ms, period_ms, UNIX_TIMESTAMP(committed_at) * 1000 AS at_ms FROM tick
      WHERE committed_at >= FROM_UNIXTIME(? / 1000) ORDER BY city, tick`,
    [window.sinceMs - LOOK_BACK_MS],
    signal,
  );
  const claims = await product.database.query(
    "SELECT city, holder, UNIX_TIMESTAMP(claimed_at) * 1000 AS at_ms FROM claim WHERE holder IS NOT NULL ORDER BY city, claim",
    [],
    signal,
  );
  return costOf({ cities, window, ticks: ticks.map(tickAt), claims: claims.map(claimAt) });
}

function tickAt(row: Row): TickAt {
  return {
    city: String(row["city"]),
    atMs: Number(row["at_ms"]),
    slotMs: Number(row["slot_ms"]),
    periodMs: Number(row["period_ms"]),
  };
}

function claimAt(row: Row): ClaimAt {
  return { city: String(row["city"]), atMs: Number(row["at_ms"]), holder: String(row["holder"]) };
}

/** Pure. Ticks and claims of a city come in their order; a city that did not commit again has an infinite gap. */
export function costOf(input: {
  readonly cities: readonly string[];
  readonly window: Window;
  readonly ticks: readonly TickAt[];
  readonly claims: readonly ClaimAt[];
}): Cost {
  const { window } = input;
  const ticks = Map.groupBy(input.ticks, ({ city }) => city);
  const claims = Map.groupBy(input.claims, ({ city }) => city);
  const affected = new Set(window.affected);
  const missed = { affected: 0, others: 0 };
  const gapsMs: number[] = [];
  let min = Infinity;
  let max = 0;
  for (const city of input.cities) {
    const around = gapsAround(ticks.get(city) ?? [], window);
    missed[affected.has(city) ? "affected" : "others"] += around.missed;
    if (affected.has(city)) gapsMs.push(around.longestMs);
    const moves = movesWithin(claims.get(city) ?? [], window);
    min = Math.min(min, moves);
    max = Math.max(max, moves);
  }
  return { gapsMs: gapsMs.toSorted((left, right) => left - right), missed, moves: { min, max } };
}

function gapsAround(
  ticks: readonly TickAt[],
  { sinceMs, untilMs }: Window,
): { readonly longestMs: number; readonly missed: number } {
  let longestMs = 0;
  let missed = 0;
  let hasCommittedAgain = false;
  for (const [index, tick] of ticks.entries()) {
    const previous = ticks[index - 1];
    if (previous === undefined || tick.atMs <= sinceMs || previous.atMs >= untilMs) continue;
    hasCommittedAgain = true;
    longestMs = Math.max(longestMs, tick.atMs - previous.atMs);
    missed += Math.max(0, Math.round((tick.slotMs - previous.slotMs) / tick.periodMs) - 1);
  }
  return { longestMs: hasCommittedAgain ? longestMs : Infinity, missed };
}

function movesWithin(claims: readonly ClaimAt[], { sinceMs, untilMs }: Window): number {
  return claims.filter(
    ({ atMs, holder }, index) =>
      atMs > sinceMs && atMs <= untilMs && index > 0 && claims[index - 1]?.holder !== holder,
  ).length;
}

/** The smallest value that at least this share of all does not exceed. `sorted`: smallest first, not empty. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
