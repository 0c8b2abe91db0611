import type { CostParts, DispatchParameters } from "./model.ts";
import {
  onTheWayMsOf,
  pickupAtMs,
  refusalOfPair,
  type Pool,
  type PooledCourier,
  type PooledOrder,
} from "./pool.ts";

/**
 * What a match is worth, in whole deciseconds of a courier's time. The time from pickup to door is the same whoever
 * carries the order, so lateness at pickup also stands for click-to-door.
 */
export type Costs = {
  /** Of letting this courier take this order; Infinity when they may not. */
  readonly pair: (order: number, courier: number) => number;
  /** Not above `pair` of any courier who starts in that minute from that many metres away or more. */
  readonly pairAtLeast: (order: number, startMinute: number, meters: number) => number;
  /** Of leaving the order without a courier in this answer. Above any pair's, and growing with the order's age. */
  readonly unassigned: (order: number) => number;
  /** For each courier, in which minute from now he or she starts; whoever is free now, in minute 0. */
  readonly startMinutes: Int32Array;
};

const MINUTE_MS = 60_000;

/** Indices are those of the pool's lists. */
export function costsOf(pool: Pool, nowMs: number, parameters: DispatchParameters): Costs {
  // Later than any pair's pickup can be: a courier who is free last, from furthest away.
  const worstPickupMs =
    parameters.courierFreeWithinMs +
    parameters.pickupTravelMaxMs +
    parameters.serviceTimeMs +
    parameters.horizonMs;
  return {
    pair(orderIndex, courierIndex) {
      const order = pool.orders[orderIndex];
      const courier = pool.couriers[courierIndex];
      if (order === undefined || courier === undefined) return Infinity;
      const onTheWayMs = onTheWayMsOf(order, courier, parameters);
      if (refusalOfPair(order, courier, onTheWayMs, parameters) !== undefined) return Infinity;
      return sumOf(partsOfPair(order, courier, onTheWayMs, parameters));
    },
    pairAtLeast(orderIndex, startMinute, meters) {
      const order = pool.orders[orderIndex];
      if (order === undefined) return Infinity;
      const onTheWayMs = Math.floor((meters * MINUTE_MS) / parameters.courierSpeedMetersPerMinute);
      if (onTheWayMs > parameters.pickupTravelMaxMs) return Infinity;
      const earliestMs = nowMs + Math.max(0, startMinute - 1) * MINUTE_MS;
      return leastPairCost(
        order,
        { earliestMs, latestMs: nowMs + startMinute * MINUTE_MS },
        onTheWayMs,
        parameters,
      );
    },
    unassigned(orderIndex) {
      const order = pool.orders[orderIndex];
      if (order === undefined) return Infinity;
      return toDeciseconds(
        parameters.weights.lateAtPickup * (nowMs + 2 * worstPickupMs - order.readyAtMs) +
          parameters.weights.age * Math.max(0, nowMs - order.placedAtMs),
      );
    },
    startMinutes: Int32Array.from(pool.couriers, ({ startsAtMs }) =>
      Math.ceil((startsAtMs - nowMs) / MINUTE_MS),
    ),
  };
}

/** What the match costs, part by part. `onTheWayMs` is the pair's. */
export function partsOfPair(
  order: PooledOrder,
  courier: PooledCourier,
  onTheWayMs: number,
  parameters: DispatchParameters,
): CostParts {
  const pickupMs = pickupAtMs(order, courier.startsAtMs, onTheWayMs, parameters);
  const atStoreMs = courier.startsAtMs + onTheWayMs + parameters.serviceTimeMs / 2;
  return {
    lateAtPickup: toDeciseconds(parameters.weights.lateAtPickup * (pickupMs - order.readyAtMs)),
    lateAtDoor: 0,
    travel: toDeciseconds(parameters.weights.travel * onTheWayMs),
    waiting: toDeciseconds(parameters.weights.waiting * (pickupMs - atStoreMs)),
    reassignment: 0,
    age: 0,
  };
}

export function sumOf(parts: CostParts): number {
  return (
    parts.lateAtPickup + parts.lateAtDoor + parts.travel + parts.waiting + parts.reassignment + parts.age
  );
}

/** Late as whoever starts first, waiting as whoever starts last. Waiting falls no faster with distance than travel grows. */
function leastPairCost(
  order: PooledOrder,
  starts: { readonly earliestMs: number; readonly latestMs: number },
  onTheWayMs: number,
  parameters: DispatchParameters,
): number {
  const pickupMs = pickupAtMs(order, starts.earliestMs, onTheWayMs, parameters);
  const atStoreMs = starts.latestMs + onTheWayMs + parameters.serviceTimeMs / 2;
  return (
    toDeciseconds(parameters.weights.lateAtPickup * (pickupMs - order.readyAtMs)) +
    toDeciseconds(parameters.weights.travel * onTheWayMs) +
    toDeciseconds(parameters.weights.waiting * Math.max(0, order.readyAtMs - atStoreMs))
  );
}

/** Whole numbers add up to the same sum in any order, so that equal answers compare as equal. */
function toDeciseconds(ms: number): number {
  return Math.round(ms / 100);
}
