import type { FencingToken } from "../crds/token.ts";
import type { Database, Row } from "./pool.ts";
import {
  bigintOf,
  numberOrUndefined,
  parsedJson,
  textOrUndefined,
  timeMsOf,
  timeMsOrUndefined,
} from "./rows.ts";

/** One city at one moment: its fence, and what the two views of the data contract show. */
export type CitySnapshot = {
  /** Epoch, token and tick are 0 for a city that was never claimed. */
  readonly epoch: bigint;
  readonly token: FencingToken;
  /** Undefined: sealed. */
  readonly holder: string | undefined;
  readonly tick: bigint;
  /** Of that tick; undefined when there is none. */
  readonly commitId: string | undefined;
  readonly databaseTimeMs: number;
  readonly orders: readonly OpenOrderRow[];
  readonly couriers: readonly AvailableCourierRow[];
  /** There were more than the maximum of one of them, and the others are left out. */
  readonly isCut: boolean;
};

/** A row of `open_orders`. Times in milliseconds since 1970, coordinates in degrees. */
export type OpenOrderRow = {
  readonly orderId: string;
  readonly storeId: string;
  readonly storeLatitude: number;
  readonly storeLongitude: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  /** Whom the active assignment names. */
  readonly courierId: string | undefined;
  /** When that courier accepted; an accepted order cannot be reassigned any more. */
  readonly acceptedAtMs: number | undefined;
  readonly declinedBy: readonly string[];
};

/** A row of `available_couriers`. */
export type AvailableCourierRow = {
  readonly courierId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly positionAtMs: number;
  readonly capacity: number;
  /** Active assignments, the unacknowledged ones included. */
  readonly activeLoad: number;
  readonly unacknowledged: number;
  /** When and where everything accepted so far will be done; undefined: idle. */
  readonly freeAtMs: number | undefined;
  readonly freeLatitude: number | undefined;
  readonly freeLongitude: number | undefined;
  readonly shiftEndsAtMs: number;
};

/** As in `read-snapshot.sql`, which reads one more of each. */
export const OPEN_ORDERS_MAX = 20_000;
export const AVAILABLE_COURIERS_MAX = 50_000;

/** One consistent read in one round trip, of the oldest orders if there are too many. Errors: those of Database. */
export async function readSnapshot(
  database: Database,
  city: string,
  signal: AbortSignal,
): Promise<CitySnapshot> {
  const [fences, orders, couriers] = await database.call("CALL read_snapshot(?)", [city], signal);
  const fence = fences?.[0];
  if (fence === undefined || orders === undefined || couriers === undefined) {
    throw new TypeError("read_snapshot did not answer with its three result sets");
  }
  return {
    epoch: bigintOf(fence["epoch"] ?? 0),
    token: bigintOf(fence["token"] ?? 0) as FencingToken,
    holder: textOrUndefined(fence["holder"]),
    tick: bigintOf(fence["tick"] ?? 0),
    commitId: textOrUndefined(fence["commit_id"]),
    databaseTimeMs: Number(fence["database_time_ms"]),
    orders: orders.slice(0, OPEN_ORDERS_MAX).map(orderOf),
    couriers: couriers.slice(0, AVAILABLE_COURIERS_MAX).map(courierOf),
    isCut: orders.length > OPEN_ORDERS_MAX || couriers.length > AVAILABLE_COURIERS_MAX,
  };
}

function orderOf(row: Row): OpenOrderRow {
  return {
    orderId: String(row["order_id"]),
    storeId: String(row["store_id"]),
    storeLatitude: Number(row["store_latitude"]),
    storeLongitude: Number(row["store_longitude"]),
    latitude: Number(row["latitude"]),
    longitude: Number(row["longitude"]),
    placedAtMs: timeMsOf(row["placed_at"]),
    readyAtMs: timeMsOf(row["ready_at"]),
    courierId: textOrUndefined(row["courier_id"]),
    acceptedAtMs: timeMsOrUndefined(row["accepted_at"]),
    declinedBy: (parsedJson(row["declined_by"]) ?? []) as readonly string[],
  };
}

function courierOf(row: Row): AvailableCourierRow {
  return {
    courierId: String(row["courier_id"]),
    latitude: Number(row["latitude"]),
    longitude: Number(row["longitude"]),
    positionAtMs: timeMsOf(row["position_at"]),
    capacity: Number(row["capacity"]),
    activeLoad: Number(row["active_load"]),
    unacknowledged: Number(row["unacknowledged"]),
    freeAtMs: timeMsOrUndefined(row["free_at"]),
    freeLatitude: numberOrUndefined(row["free_latitude"]),
    freeLongitude: numberOrUndefined(row["free_longitude"]),
    shiftEndsAtMs: timeMsOf(row["shift_ends_at"]),
  };
}
