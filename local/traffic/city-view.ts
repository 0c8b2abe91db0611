import type { Database } from "../../db/pool.ts";
import { numberOrUndefined } from "../../db/rows.ts";

/** One line of the demo's picture: what people in a city would notice. */
export type CityTrafficView = {
  readonly city: string;
  /** Not picked up yet. */
  readonly openOrders: number;
  /** Since the oldest order without a courier was placed; undefined: every order has one. */
  readonly oldestUnassignedSeconds: number | undefined;
  readonly couriersOnShift: number;
  readonly delivered: number;
};

/**
 * Every city that has stores: `DISTINCT` jumps through their key from city to city. Per city ranges of `orders.by_status` and
 * of `couriers.on_shift`, and one assignment by key per open order.
 */
const READ_CITIES = `
  SELECT c.city,
         (SELECT COUNT(*) FROM orders o WHERE o.city = c.city AND o.status = 'placed') AS open_orders,
         (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(o.placed_at), UTC_TIMESTAMP(3)) / 1000000
            FROM orders o
            LEFT JOIN assignment a ON a.city = o.city AND a.active_order_id = o.id
           WHERE o.city = c.city AND o.status = 'placed' AND a.order_id IS NULL) AS oldest_unassigned_s,
         (SELECT COUNT(*) FROM couriers k
           WHERE k.city = c.city AND k.shift_ends_at > UTC_TIMESTAMP(3)
             AND k.shift_starts_at <= UTC_TIMESTAMP(3)) AS couriers_on_shift,
         (SELECT COUNT(*) FROM orders o WHERE o.city = c.city AND o.status = 'delivered') AS delivered
    FROM (SELECT DISTINCT city FROM stores) AS c
   ORDER BY c.city`;

/** All cities in one statement, in the order of their names. Throws what the database throws. */
export async function readCityTraffic(
  database: Database,
  signal: AbortSignal,
): Promise<readonly CityTrafficView[]> {
  const rows = await database.query(READ_CITIES, [], signal);
  return rows.map((row) => ({
    city: String(row["city"]),
    openOrders: Number(row["open_orders"]),
    oldestUnassignedSeconds: numberOrUndefined(row["oldest_unassigned_s"]),
    couriersOnShift: Number(row["couriers_on_shift"]),
    delivered: Number(row["delivered"]),
  }));
}
