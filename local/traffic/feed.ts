import type { Database, Row, SqlValue } from "../../db/pool.ts";
import { timeMsOf } from "../../db/rows.ts";
import { untilAnswered, type PersistenceInput } from "./persistence.ts";

/**
 * The statements of the company's own services, with the `feed` account. Each is sent until it is answered and has its effect
 * once, however often it arrives: rows are inserted by key, and the procedures check the state.
 */
export type Feed = {
  /** The database's clock, and the assignments that their couriers have not answered yet. */
  readPending(city: string, signal: AbortSignal): Promise<Pending>;
  writeStores(city: string, rows: readonly StoreRow[], signal: AbortSignal): Promise<void>;
  writeOrders(city: string, rows: readonly OrderRow[], signal: AbortSignal): Promise<void>;
  /** Positions, shifts and expectations: inserted, or brought up to date. */
  writeCouriers(city: string, rows: readonly CourierRow[], signal: AbortSignal): Promise<void>;
  act(city: string, action: Action, signal: AbortSignal): Promise<"done" | "ignored">;
  hasOrders(city: string, signal: AbortSignal): Promise<boolean>;
  /** Cancels or delivers whatever an earlier process left open in the city, and ends the shifts of its couriers. */
  endEarlierRun(city: string, signal: AbortSignal): Promise<{ readonly orders: number }>;
};

export type Pending = {
  readonly nowMs: number;
  readonly assignments: readonly {
    readonly orderId: string;
    readonly courierId: string;
    /** What one tick gave to one courier is a bundle, brought to its doors in the order of `stop`. */
    readonly tick: string;
    readonly stop: number;
    readonly assignedAtMs: number;
  }[];
};

export type StoreRow = {
  readonly id: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
};

/** Times are milliseconds since 1970. */
export type OrderRow = {
  readonly id: string;
  readonly storeId: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  /** Empty: any. */
  readonly vehicles: readonly string[];
};

export type CourierRow = {
  readonly id: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly positionAtMs: number;
  readonly vehicle: string;
  readonly capacity: number;
  readonly shiftStartsAtMs: number;
  readonly shiftEndsAtMs: number;
  readonly free: FreeRow | undefined;
};

export type FreeRow = { readonly atMs: number; readonly latitude: number; readonly longitude: number };

export type Action =
  | { readonly kind: "cancel"; readonly orderId: string }
  | { readonly kind: "decline"; readonly orderId: string; readonly courierId: string }
  | { readonly kind: "accept"; readonly orderId: string; readonly courierId: string; readonly free: FreeRow }
  | {
      readonly kind: "pick-up" | "deliver";
      readonly orderId: string;
      readonly courierId: string;
      readonly atMs: number;
    };

const ROWS_PER_STATEMENT = 200;
/** Few, so that whoever wants one of the rows waits only briefly. */
const COURIERS_PER_STATEMENT = 50;

/**
 * A range of `assignment.by_courier`, forced: several times a second, a plan chosen on old statistics would read all that a
 * city ever had. One row without an order when nothing is pending.
 */
const READ_PENDING = `
  SELECT TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000 AS now_ms,
         a.order_id, a.courier_id, a.tick, a.stop, a.assigned_at
    FROM (SELECT 1) AS one
    LEFT JOIN assignment a FORCE INDEX (by_courier)
           ON a.city = ? AND a.state = 'active' AND a.accepted_at IS NULL`;

const WRITE_STORES = `
  INSERT INTO stores (city, id, name, latitude, longitude)
  SELECT ?, s.id, s.name, s.latitude, s.longitude
    FROM JSON_TABLE(?, '$[*]' COLUMNS (
           id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.id',
           name      VARCHAR(255) PATH '$.name',
           latitude  DOUBLE PATH '$.latitude',
           longitude DOUBLE PATH '$.longitude')) AS s
  ON DUPLICATE KEY UPDATE name = s.name, latitude = s.latitude, longitude = s.longitude`;

/** An order that is in already stays as it is: it may be picked up by now. */
const WRITE_ORDERS = `
  INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at, vehicles)
  SELECT ?, o.id, o.store_id, o.latitude, o.longitude, o.placed_at, o.ready_at, o.vehicles
    FROM JSON_TABLE(?, '$[*]' COLUMNS (
           id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.id',
           store_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.storeId',
           latitude  DOUBLE PATH '$.latitude',
           longitude DOUBLE PATH '$.longitude',
           placed_at DATETIME(3) PATH '$.placedAt',
           ready_at  DATETIME(3) PATH '$.readyAt',
           vehicles  JSON PATH '$.vehicles')) AS o
  ON DUPLICATE KEY UPDATE id = o.id`;

const WRITE_COURIERS = `
  INSERT INTO couriers (city, id, latitude, longitude, position_at, vehicle, capacity, shift_starts_at,
                        shift_ends_at, free_at, free_latitude, free_longitude)
  SELECT ?, c.id, c.latitude, c.longitude, c.position_at, c.vehicle, c.capacity, c.shift_starts_at,
         c.shift_ends_at, c.free_at, c.free_latitude, c.free_longitude
    FROM JSON_TABLE(?, '$[*]' COLUMNS (
           id              VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.id',
           latitude        DOUBLE PATH '$.latitude',
           longitude       DOUBLE PATH '$.longitude',
           position_at     DATETIME(3) PATH '$.positionAt',
           vehicle         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin PATH '$.vehicle',
           capacity        INT UNSIGNED PATH '$.capacity',
           shift_starts_at DATETIME(3) PATH '$.shiftStartsAt',
           shift_ends_at   DATETIME(3) PATH '$.shiftEndsAt',
           free_at         DATETIME(3) PATH '$.freeAt',
           free_latitude   DOUBLE PATH '$.freeLatitude',
           free_longitude  DOUBLE PATH '$.freeLongitude')) AS c
  ON DUPLICATE KEY UPDATE
    latitude = c.latitude, longitude = c.longitude, position_at = c.position_at, vehicle = c.vehicle,
    capacity = c.capacity,
    shift_starts_at = c.shift_starts_at, shift_ends_at = c.shift_ends_at,
    free_at = c.free_at, free_latitude = c.free_latitude, free_longitude = c.free_longitude`;

const HAS_ORDERS = "SELECT EXISTS (SELECT 1 FROM orders WHERE city = ?) AS has_orders";

const READ_OPEN = `
  SELECT o.id, o.status, a.courier_id
    FROM orders o
    LEFT JOIN assignment a ON a.city = o.city AND a.active_order_id = o.id
   WHERE o.city = ? AND o.status IN ('placed', 'picked_up')`;

const END_SHIFTS = `
  UPDATE couriers SET shift_ends_at = UTC_TIMESTAMP(3) WHERE city = ? AND shift_ends_at > UTC_TIMESTAMP(3)`;

export function createFeed(input: PersistenceInput & { readonly database: Database }): Feed {
  const { database } = input;
  const query = (sql: string, values: readonly SqlValue[], signal: AbortSignal): Promise<readonly Row[]> =>
    untilAnswered(input, (limited) => database.query(sql, values, limited), signal);
  const writeInParts = async (
    part: { readonly sql: string; readonly city: string; readonly rowsMax: number },
    rows: readonly unknown[],
    signal: AbortSignal,
  ): Promise<void> => {
    for (let start = 0; start < rows.length; start += part.rowsMax) {
      await query(part.sql, [part.city, JSON.stringify(rows.slice(start, start + part.rowsMax))], signal);
    }
  };
  const act: Feed["act"] = async (city, action, signal) => {
    const { sql, values } = callOf(city, action);
    const [rows = []] = await untilAnswered(input, (limited) => database.call(sql, values, limited), signal);
    return rows[0]?.["outcome"] === "done" ? "done" : "ignored";
  };
  const readPending: Feed["readPending"] = async (city, signal) => {
    const rows = await query(READ_PENDING, [city], signal);
    const pending = rows.filter((row) => row["order_id"] !== null);
    return {
      nowMs: Number(rows[0]?.["now_ms"]),
      assignments: pending.map((row) => ({
        orderId: String(row["order_id"]),
        courierId: String(row["courier_id"]),
        tick: String(row["tick"]),
        stop: Number(row["stop"]),
        assignedAtMs: timeMsOf(row["assigned_at"]),
      })),
    };
  };
  return {
    act,
    readPending,
    writeStores: (city, rows, signal) =>
      writeInParts({ sql: WRITE_STORES, city, rowsMax: ROWS_PER_STATEMENT }, rows, signal),
    writeOrders: (city, rows, signal) =>
      writeInParts({ sql: WRITE_ORDERS, city, rowsMax: ROWS_PER_STATEMENT }, rows.map(orderJson), signal),
    // In the order of their ids, as everybody who locks several of them does.
    writeCouriers: (city, rows, signal) =>
      writeInParts(
        { sql: WRITE_COURIERS, city, rowsMax: COURIERS_PER_STATEMENT },
        [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)).map(courierJson),
        signal,
      ),
    async hasOrders(city, signal) {
      const rows = await query(HAS_ORDERS, [city], signal);
      return Number(rows[0]?.["has_orders"]) === 1;
    },
    async endEarlierRun(city, signal) {
      await query(END_SHIFTS, [city], signal);
      const { nowMs } = await readPending(city, signal);
      const open = await query(READ_OPEN, [city], signal);
      for (const row of open) {
        const orderId = String(row["id"]);
        if (row["status"] === "placed") await act(city, { kind: "cancel", orderId }, signal);
        else {
          const courierId = String(row["courier_id"]);
          await act(city, { kind: "deliver", orderId, courierId, atMs: nowMs }, signal);
        }
      }
      return { orders: open.length };
    },
  };
}

function callOf(
  city: string,
  action: Action,
): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const { kind, orderId } = action;
  switch (kind) {
    case "cancel":
      return { sql: "CALL cancel_order(?, ?)", values: [city, orderId] };
    case "decline":
      return { sql: "CALL decline_order(?, ?, ?)", values: [city, orderId, action.courierId] };
    case "accept": {
      const { atMs, latitude, longitude } = action.free;
      return {
        sql: "CALL accept_order(?, ?, ?, ?, ?, ?)",
        values: [city, orderId, action.courierId, datetime(atMs), latitude, longitude],
      };
    }
    case "pick-up":
      return {
        sql: "CALL pick_up_order(?, ?, ?, ?)",
        values: [city, orderId, action.courierId, datetime(action.atMs)],
      };
    case "deliver":
      return {
        sql: "CALL deliver_order(?, ?, ?, ?)",
        values: [city, orderId, action.courierId, datetime(action.atMs)],
      };
    default:
      return kind satisfies never;
  }
}

function orderJson({
  placedAtMs,
  readyAtMs,
  vehicles,
  ...rest
}: OrderRow): Readonly<Record<string, unknown>> {
  const times = { placedAt: datetime(placedAtMs), readyAt: datetime(readyAtMs) };
  // Absent, the column stays NULL: any vehicle.
  return { ...rest, ...times, ...(vehicles.length === 0 ? {} : { vehicles }) };
}

function courierJson(row: CourierRow): Readonly<Record<string, unknown>> {
  const { positionAtMs, shiftStartsAtMs, shiftEndsAtMs, free, ...rest } = row;
  return {
    ...rest,
    positionAt: datetime(positionAtMs),
    shiftStartsAt: datetime(shiftStartsAtMs),
    shiftEndsAt: datetime(shiftEndsAtMs),
    freeAt: free === undefined ? null : datetime(free.atMs),
    freeLatitude: free?.latitude ?? null,
    freeLongitude: free?.longitude ?? null,
  };
}

/** Milliseconds since 1970 → a DATETIME(3) in UTC as MySQL reads it. */
function datetime(atMs: number): string {
  return new Date(atMs).toISOString().replace("T", " ").replace("Z", "");
}
