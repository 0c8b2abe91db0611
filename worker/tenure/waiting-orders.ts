import { parseDuration } from "../../crds/duration.ts";
import { DEFAULT_DISPATCH, type TaskSpec } from "../../crds/city.ts";
import type { CitySnapshot } from "../../db/snapshot.ts";

/** Orders that nobody has, of the cities that this worker holds: what a customer notices of a dispatch that does not keep up. */

export type Waiting = {
  /** Orders within the horizon that nobody has after the last committed tick. */
  readonly count: number;
  /** Since when the oldest of them could have been given to somebody, on the database's clock; undefined: there is none. */
  readonly oldestSinceMs: number | undefined;
};

/**
 * What is left after a tick. An order counts from when it was placed, or from when it came within the horizon if it was
 * placed for later. `given`: orders that this tick gave to somebody. Pure.
 */
export function waitingAfter(
  snapshot: Pick<CitySnapshot, "orders" | "databaseTimeMs">,
  given: ReadonlySet<string>,
  task: TaskSpec,
): Waiting {
  const horizonMs = parseDuration({ ...DEFAULT_DISPATCH, ...task.dispatch }.horizon);
  let count = 0;
  let oldestSinceMs: number | undefined;
  for (const order of snapshot.orders) {
    if (order.courierId !== undefined || given.has(order.orderId)) continue;
    const sinceMs = Math.max(order.placedAtMs, order.readyAtMs - horizonMs);
    if (sinceMs > snapshot.databaseTimeMs) continue;
    count += 1;
    oldestSinceMs = Math.min(oldestSinceMs ?? Infinity, sinceMs);
  }
  return { count, oldestSinceMs };
}

/** All that this worker knows of: cities by name. */
export type WaitingOrders = Map<string, Waiting>;

/** Seconds; 0 while nobody waits. `nowMs`: on the database's clock. */
export function oldestAgeSeconds(waiting: WaitingOrders, nowMs: number): number {
  let oldestMs = nowMs;
  for (const { oldestSinceMs } of waiting.values()) oldestMs = Math.min(oldestMs, oldestSinceMs ?? nowMs);
  return (nowMs - oldestMs) / 1_000;
}

export function countWaiting(waiting: WaitingOrders): number {
  let count = 0;
  for (const city of waiting.values()) count += city.count;
  return count;
}
