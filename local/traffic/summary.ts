import type { Database } from "../../db/pool.ts";
import { numberOrUndefined } from "../../db/rows.ts";

/** How a day went, from the database's own rows. Means are minutes of the day, over the delivered orders. */
export type RecordedSummary = {
  readonly city: string;
  readonly orders: number;
  readonly delivered: number;
  readonly cancelled: number;
  readonly undelivered: number;
  readonly undeliveredPercent: number;
  readonly clickToDoorMinutes: number | undefined;
  readonly readyToPickupMinutes: number | undefined;
  /** Assignments that a courier sent back. */
  readonly declined: number;
  /** Orders that were taken from a courier and given to another, each time counted. */
  readonly reassigned: number;
  /** Delivered orders per bundle, which is what one tick gave to one courier; undefined: nothing was delivered. */
  readonly ordersPerBundle: number | undefined;
};

const READ_SUMMARY = `
  SELECT COUNT(*) AS orders,
         COUNT(IF(status = 'delivered', 1, NULL)) AS delivered,
         COUNT(IF(status = 'cancelled', 1, NULL)) AS cancelled,
         AVG(IF(status = 'delivered', TIMESTAMPDIFF(MICROSECOND, placed_at, delivered_at), NULL)) AS click_to_door_us,
         AVG(IF(status = 'delivered', TIMESTAMPDIFF(MICROSECOND, ready_at, picked_up_at), NULL)) AS ready_to_pickup_us,
         (SELECT COUNT(*) FROM assignment a WHERE a.city = ? AND a.state = 'declined') AS declined,
         (SELECT COUNT(*) FROM assignment a WHERE a.city = ? AND a.state = 'reassigned') AS reassigned,
         (SELECT COUNT(*) / COUNT(DISTINCT a.tick, a.courier_id)
            FROM assignment a WHERE a.city = ? AND a.state = 'delivered') AS orders_per_bundle
    FROM orders
   WHERE city = ?`;

const MICROSECONDS_PER_MINUTE = 60_000_000;

/** `speed`: how many times as fast as real time the day passed. Throws what the database throws. */
export async function readRecordedSummary(
  database: Database,
  day: { readonly city: string; readonly speed: number },
  signal: AbortSignal,
): Promise<RecordedSummary> {
  const [row = {}] = await database.query(READ_SUMMARY, [day.city, day.city, day.city, day.city], signal);
  const orders = Number(row["orders"]);
  const ordersPerBundle = numberOrUndefined(row["orders_per_bundle"]);
  const delivered = Number(row["delivered"]);
  const cancelled = Number(row["cancelled"]);
  const undelivered = orders - delivered - cancelled;
  const minutesOfTheDay = (value: unknown): number | undefined => {
    const microseconds = numberOrUndefined(value);
    return microseconds === undefined
      ? undefined
      : round((microseconds * day.speed) / MICROSECONDS_PER_MINUTE, 2);
  };
  return {
    city: day.city,
    orders,
    delivered,
    cancelled,
    undelivered,
    undeliveredPercent: orders === 0 ? 0 : round((100 * undelivered) / orders, 3),
    clickToDoorMinutes: minutesOfTheDay(row["click_to_door_us"]),
    readyToPickupMinutes: minutesOfTheDay(row["ready_to_pickup_us"]),
    declined: Number(row["declined"]),
    reassigned: Number(row["reassigned"]),
    ordersPerBundle: ordersPerBundle === undefined ? undefined : round(ordersPerBundle, 3),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
