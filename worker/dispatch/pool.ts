import type { Courier, DispatchParameters, DispatchSnapshot, Order, Refusal } from "./model.ts";
import { projectionOf, travelMs, type Place } from "./plane.ts";

/** The orders and couriers that one decision is about, on the city's plane. */
export type Pool = { readonly orders: readonly PooledOrder[]; readonly couriers: readonly PooledCourier[] };

export type PooledOrder = {
  readonly id: string;
  readonly store: Place;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  readonly declinedBy: ReadonlySet<string>;
};

export type PooledCourier = {
  readonly id: string;
  /** Where and when the way to the next store begins. */
  readonly start: Place;
  readonly startsAtMs: number;
  readonly shiftEndsAtMs: number;
};

export function poolOf(snapshot: DispatchSnapshot, parameters: DispatchParameters): Pool {
  const project = projectionOf(snapshot);
  const orders = snapshot.orders
    .filter((order) => refusalOfOrder(order, snapshot.nowMs, parameters) === undefined)
    .map((order) => ({
      id: order.id,
      store: project(order.store),
      placedAtMs: order.placedAtMs,
      readyAtMs: order.readyAtMs,
      declinedBy: new Set(order.declinedBy),
    }));
  const couriers = snapshot.couriers
    .filter((courier) => refusalOfCourier(courier, snapshot.nowMs, parameters) === undefined)
    .map((courier) => ({
      id: courier.id,
      start: project(courier.freePosition ?? courier.position),
      startsAtMs: Math.max(snapshot.nowMs, courier.freeAtMs ?? snapshot.nowMs),
      shiftEndsAtMs: courier.shiftEndsAtMs,
    }));
  return { orders, couriers };
}

/** Why an order is not looked at, whoever the courier; undefined when it is. */
export function refusalOfOrder(
  order: Order,
  nowMs: number,
  parameters: DispatchParameters,
): "order-assigned" | "beyond-horizon" | undefined {
  if (order.assignment !== undefined) return "order-assigned";
  if (order.readyAtMs > nowMs + parameters.horizonMs) return "beyond-horizon";
  return undefined;
}

/** Why a courier is not looked at, whatever the order; undefined when they are. */
export function refusalOfCourier(
  courier: Courier,
  nowMs: number,
  parameters: DispatchParameters,
): Refusal | undefined {
  if (courier.load >= courier.capacity) return "capacity";
  // Whoever has not confirmed the last order may be about to decline it: what they do next is not known.
  if (courier.unacknowledged > 0) return "unacknowledged";
  if (courier.load > 0 && courier.freeAtMs === undefined) return "not-free";
  if ((courier.freeAtMs ?? nowMs) > nowMs + parameters.courierFreeWithinMs) return "not-free";
  if (courier.shiftEndsAtMs < Math.max(nowMs, courier.freeAtMs ?? nowMs)) return "shift-over";
  return undefined;
}

/** How long the courier travels to the store. */
export function onTheWayMsOf(
  order: PooledOrder,
  courier: PooledCourier,
  parameters: DispatchParameters,
): number {
  return travelMs(courier.start, order.store, parameters.courierSpeedMetersPerMinute);
}

/** Why this courier cannot take this order; undefined when they can. `onTheWayMs` is the pair's. */
export function refusalOfPair(
  order: PooledOrder,
  courier: PooledCourier,
  onTheWayMs: number,
  parameters: DispatchParameters,
): Refusal | undefined {
  if (onTheWayMs > parameters.pickupTravelMaxMs) return "too-far";
  if (pickupAtMs(order, courier.startsAtMs, onTheWayMs, parameters) > courier.shiftEndsAtMs)
    return "shift-over";
  if (order.declinedBy.has(courier.id)) return "declined";
  return undefined;
}

/** When the order changes hands if its courier leaves at `startsAtMs`: half the handling on arrival, never before it is ready. */
export function pickupAtMs(
  order: PooledOrder,
  startsAtMs: number,
  onTheWayMs: number,
  parameters: DispatchParameters,
): number {
  return Math.max(startsAtMs + onTheWayMs + parameters.serviceTimeMs / 2, order.readyAtMs);
}
