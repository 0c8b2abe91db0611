import { compareText } from "./matching/rank.ts";
import type { DispatchParameters } from "./model.ts";
import { metersBetween, type Place } from "./plane.ts";
import type { PooledOrder } from "./pool.ts";
import { detourMs } from "./trip.ts";

/** Orders of one store that are picked up together and brought on one way; very often a single one. */
export type Bundle = {
  /** That of its first order by id, whatever the order of doors. */
  readonly id: string;
  /** In the order of their doors. */
  readonly orders: readonly PooledOrder[];
  readonly store: Place;
  /** When the last of them is ready. */
  readonly readyAtMs: number;
  /** For each order, the way from the store to its door past the doors before it. */
  readonly doorMeters: readonly number[];
};

/** The size of `bundleOrdersMax` at most: all sequences of doors are tried. */
export const BUNDLE_ORDERS_LIMIT = 3;

/** The orders brought in this sequence of doors. All are of one store, and there is at least one. */
export function bundleInSequence(orders: readonly PooledOrder[]): Bundle {
  const [first] = orders;
  if (first === undefined) throw new RangeError("a bundle has an order");
  const doorMeters: number[] = [];
  let place = first.store;
  let meters = 0;
  let readyAtMs = first.readyAtMs;
  let { id } = first;
  for (const order of orders) {
    meters += metersBetween(place, order.door);
    place = order.door;
    doorMeters.push(meters);
    readyAtMs = Math.max(readyAtMs, order.readyAtMs);
    if (compareText(order.id, id) < 0) id = order.id;
  }
  return { id, orders, store: first.store, readyAtMs, doorMeters };
}

/**
 * The orders brought in the sequence of doors in which they wait least in sum, of those that make no order's way more than
 * `bundleDelayMaxMs` longer; undefined when there is none. All orders are of one store, in an order that says nothing.
 */
export function bundleOf(orders: readonly PooledOrder[], parameters: DispatchParameters): Bundle | undefined {
  let best: Bundle | undefined;
  let bestSum = Infinity;
  for (const sequence of sequencesOf(orders.toSorted((a, b) => compareText(a.id, b.id)))) {
    const bundle = bundleInSequence(sequence);
    const isTooLong = sequence.some(
      (_, stop) =>
        detourMs(bundle, stop, parameters.courierSpeedMetersPerMinute, parameters) >
        parameters.bundleDelayMaxMs,
    );
    const sum = bundle.doorMeters.reduce((total, meters) => total + meters, 0);
    if (isTooLong || sum >= bestSum) continue;
    bestSum = sum;
    best = bundle;
  }
  return best;
}

function sequencesOf(orders: readonly PooledOrder[]): readonly (readonly PooledOrder[])[] {
  if (orders.length <= 1) return [orders];
  return orders.flatMap((first, index) =>
    sequencesOf(orders.toSpliced(index, 1)).map((rest) => [first, ...rest]),
  );
}
