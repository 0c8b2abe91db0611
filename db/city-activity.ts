import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { Database, Query, Row } from "./pool.ts";
import { bigintOf, idOrUndefined, parsedJson, textOrUndefined, timeMsOf, timeMsOrUndefined } from "./rows.ts";
import { availableCourierOf, type AvailableCourierRow, type OpenOrderRow } from "./snapshot.ts";
import type { Explanation } from "./story/explanation.ts";
import { decodeExplanations } from "./story/explanation-lines.ts";

/** What a city has been doing of late, for people who look at it: bounded readings that write nothing. Times as in FenceProgress. */

export type LedgerTick = {
  readonly tick: bigint;
  readonly slotMs: number;
  readonly periodMs: number;
  readonly epoch: bigint;
  readonly token: string;
  readonly holder: string;
  /** As `tick.degraded` says: 0, 1, or the code of a DispatcherFailure. */
  readonly degraded: number;
  readonly decisions: number;
  readonly dropped: number;
  readonly committedAtMs: number;
};

/** A rise of the fence. */
export type LedgerClaim = {
  readonly claim: bigint;
  readonly epoch: bigint;
  readonly token: string;
  /** Undefined: a seal. */
  readonly holder: string | undefined;
  /** The last tick before it. */
  readonly tick: bigint;
  readonly claimedAtMs: number;
};

export type ExplainedTick = {
  readonly tick: bigint;
  readonly dispatcher: string;
  readonly explanations: readonly Explanation[];
};

export type Ledger = {
  readonly databaseTimeMs: number;
  /** The newest first. */
  readonly ticks: readonly LedgerTick[];
  /** The newest first. */
  readonly claims: readonly LedgerClaim[];
  /** The last one that is kept; undefined: none is. */
  readonly explained: ExplainedTick | undefined;
};

/** An order that nobody picked up yet, without what only its courier needs to know. */
export type OpenOrderPlace = Pick<
  OpenOrderRow,
  | "orderId"
  | "storeId"
  | "storeLatitude"
  | "storeLongitude"
  | "latitude"
  | "longitude"
  | "placedAtMs"
  | "readyAtMs"
  | "courierId"
  | "acceptedAtMs"
>;

export type CityMap = {
  readonly orders: readonly OpenOrderPlace[];
  readonly couriers: readonly AvailableCourierRow[];
  /** There are more than were asked for. */
  readonly isCut: boolean;
};

const decompress = promisify(zstdDecompress);

/** Plan: the end of the range of `tick`'s primary key. */
const TICKS = `
SELECT tick, slot_ms, period_ms, epoch, token, holder, degraded, decisions, dropped, committed_at
  FROM tick WHERE city = ? ORDER BY tick DESC LIMIT ?`;
const CLAIMS =
  "SELECT claim, epoch, token, holder, tick, claimed_at FROM claim WHERE city = ? ORDER BY claim DESC LIMIT ?";
const EXPLAINED =
  "SELECT tick, dispatcher, explanations FROM tick_explanation WHERE city = ? ORDER BY tick DESC LIMIT 1";
const ORDERS = `
SELECT order_id, store_id, store_latitude, store_longitude, latitude, longitude, placed_at, ready_at, courier_id, accepted_at
  FROM open_orders WHERE city = ? ORDER BY placed_at, order_id LIMIT ?`;
const COURIERS = `
SELECT courier_id, latitude, longitude, position_at, vehicle, capacity, active_load, unacknowledged, free_at,
       free_latitude, free_longitude, shift_ends_at
  FROM available_couriers WHERE city = ? LIMIT ?`;

/** From our own tables. Errors: those of Database. */
export async function readLedger(
  database: Database,
  {
    city,
    ticksMax,
    claimsMax,
  }: { readonly city: string; readonly ticksMax: number; readonly claimsMax: number },
  signal: AbortSignal,
): Promise<Ledger> {
  const read = async (query: Query) => ({
    time: await query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS now_ms", [], signal),
    ticks: await query(TICKS, [city, ticksMax], signal),
    claims: await query(CLAIMS, [city, claimsMax], signal),
    explained: await query(EXPLAINED, [city], signal),
  });
  const { time, ticks, claims, explained } = await database.readConsistently(read, signal);
  return {
    databaseTimeMs: Number(time[0]?.["now_ms"]),
    ticks: ticks.map(tickOf),
    claims: claims.map(claimOf),
    explained: explained[0] === undefined ? undefined : await explainedOf(explained[0]),
  };
}

/** From the two views of the data contract, whoever's tables are behind them. Errors: those of Database. */
export async function readCityMap(
  database: Database,
  limits: { readonly city: string; readonly ordersMax: number; readonly couriersMax: number },
  signal: AbortSignal,
): Promise<CityMap> {
  const { city, ordersMax, couriersMax } = limits;
  const read = async (query: Query) => ({
    orders: await query(ORDERS, [city, ordersMax + 1], signal),
    couriers: await query(COURIERS, [city, couriersMax + 1], signal),
  });
  const { orders, couriers } = await database.readConsistently(read, signal);
  return {
    orders: orders.slice(0, ordersMax).map(openOrderPlaceOf),
    couriers: couriers.slice(0, couriersMax).map(availableCourierOf),
    isCut: orders.length > ordersMax || couriers.length > couriersMax,
  };
}

function tickOf(row: Row): LedgerTick {
  return {
    tick: bigintOf(row["tick"]),
    slotMs: Number(row["slot_ms"]),
    periodMs: Number(row["period_ms"]),
    epoch: bigintOf(row["epoch"]),
    token: String(row["token"]),
    holder: String(row["holder"]),
    degraded: Number(row["degraded"]),
    decisions: Number(row["decisions"]),
    dropped: ((parsedJson(row["dropped"]) ?? []) as readonly unknown[]).length,
    committedAtMs: timeMsOf(row["committed_at"]),
  };
}

function claimOf(row: Row): LedgerClaim {
  return {
    claim: bigintOf(row["claim"]),
    epoch: bigintOf(row["epoch"]),
    token: String(row["token"]),
    holder: textOrUndefined(row["holder"]),
    tick: bigintOf(row["tick"]),
    claimedAtMs: timeMsOf(row["claimed_at"]),
  };
}

async function explainedOf(row: Row): Promise<ExplainedTick> {
  const text = (await decompress(row["explanations"] as Buffer)).toString();
  return {
    tick: bigintOf(row["tick"]),
    dispatcher: String(row["dispatcher"]),
    explanations: decodeExplanations(text),
  };
}

function openOrderPlaceOf(row: Row): OpenOrderPlace {
  return {
    orderId: String(row["order_id"]),
    storeId: String(row["store_id"]),
    storeLatitude: Number(row["store_latitude"]),
    storeLongitude: Number(row["store_longitude"]),
    latitude: Number(row["latitude"]),
    longitude: Number(row["longitude"]),
    placedAtMs: timeMsOf(row["placed_at"]),
    readyAtMs: timeMsOf(row["ready_at"]),
    courierId: idOrUndefined(row["courier_id"]),
    acceptedAtMs: timeMsOrUndefined(row["accepted_at"]),
  };
}
