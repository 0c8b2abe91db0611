import type { FencingToken } from "../crds/token.ts";
import type { Database, Row } from "./pool.ts";
import {
  bigintOf,
  idOrUndefined,
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
  /** Kinds of vehicle that may carry it; empty: any. */
  readonly vehicles: readonly string[];
  /** Whom the active assignment names. */
  readonly courierId: string | undefined;
  /** When it was made. */
  readonly assignedAtMs: number | undefined;
  /** When that courier accepted. */
  readonly acceptedAtMs: number | undefined;
  /** How often it was taken from one courier and given to another; 0 while nobody has it. */
  readonly reassignments: number;
  readonly declinedBy: readonly string[];
};

/** A row of `available_couriers`. */
export type AvailableCourierRow = {
  readonly courierId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly positionAtMs: number;
  /** Kind of vehicle; "" where the company does not say. */
  readonly vehicle: string;
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
    orders: orders.slice(0, OPEN_ORDERS_MAX).map(openOrderOf),
    couriers: couriers.slice(0, AVAILABLE_COURIERS_MAX).map(availableCourierOf),
    isCut: orders.length > OPEN_ORDERS_MAX || couriers.length > AVAILABLE_COURIERS_MAX,
  };
}

/** From a row of the view, whose needed columns are not NULL. */
export function openOrderOf(row: Row): OpenOrderRow {
  return {
    orderId: String(row["order_id"]),
    storeId: String(row["store_id"]),
    storeLatitude: Number(row["store_latitude"]),
    storeLongitude: Number(row["store_longitude"]),
    latitude: Number(row["latitude"]),
    longitude: Number(row["longitude"]),
    placedAtMs: timeMsOf(row["placed_at"]),
    readyAtMs: timeMsOf(row["ready_at"]),
    vehicles: textsOf(row["vehicles"]),
    courierId: idOrUndefined(row["courier_id"]),
    assignedAtMs: timeMsOrUndefined(row["assigned_at"]),
    acceptedAtMs: timeMsOrUndefined(row["accepted_at"]),
    reassignments: Number(row["reassignments"] ?? 0),
    declinedBy: textsOf(row["declined_by"]),
  };
}

/** From a row of the view, whose needed columns are not NULL. */
export function availableCourierOf(row: Row): AvailableCourierRow {
  return {
    courierId: String(row["courier_id"]),
    latitude: Number(row["latitude"]),
    longitude: Number(row["longitude"]),
    positionAtMs: timeMsOf(row["position_at"]),
    vehicle: textOrUndefined(row["vehicle"]) ?? "",
    capacity: Number(row["capacity"]),
    activeLoad: Number(row["active_load"]),
    unacknowledged: Number(row["unacknowledged"]),
    freeAtMs: timeMsOrUndefined(row["free_at"]),
    freeLatitude: numberOrUndefined(row["free_latitude"]),
    freeLongitude: numberOrUndefined(row["free_longitude"]),
    shiftEndsAtMs: timeMsOf(row["shift_ends_at"]),
  };
}

/** A JSON array of texts or numbers; none where there is NULL. */
function textsOf(value: unknown): readonly string[] {
  return ((parsedJson(value) ?? []) as readonly (string | number)[]).map(String);
}
