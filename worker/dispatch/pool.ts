import type { Courier, DispatchParameters, DispatchSnapshot, Order, Point, Refusal } from "./model.ts";
import { metersBetween, projectionOf, type Place } from "./plane.ts";

/** The orders and couriers that one decision is about, on the city's plane. */
export type Pool = {
  readonly nowMs: number;
  readonly orders: readonly PooledOrder[];
  readonly couriers: readonly PooledCourier[];
  /** How many couriers of the snapshot each hard rule keeps away from every order. */
  readonly refusals: Readonly<Partial<Record<Refusal, number>>>;
};

export type PooledOrder = {
  readonly id: string;
  readonly storeId: string;
  readonly store: Place;
  readonly door: Place;
  /** From the store to the door. */
  readonly directMeters: number;
  readonly placedAtMs: number;
  readonly readyAtMs: number;
  readonly vehicles: readonly string[];
  readonly declinedBy: ReadonlySet<string>;
  /** Who has the order and could give it back; undefined: nobody has it. */
  readonly holder: PooledCourier | undefined;
};

export type PooledCourier = {
  readonly id: string;
  /** Where and when the way to the next store begins. */
  readonly start: Place;
  readonly startsAtMs: number;
  readonly shiftEndsAtMs: number;
  readonly metersPerMinute: number;
  readonly vehicle: string;
  /** How many orders the courier may be given. */
  readonly room: number;
  /** The one order that the courier would have to give back first; undefined: none. */
  readonly givesBack: string | undefined;
};

export function poolOf(snapshot: DispatchSnapshot, parameters: DispatchParameters): Pool {
  const { nowMs } = snapshot;
  const project = projectionOf(snapshot);
  const held = heldOrders(snapshot, parameters);
  const couriers: PooledCourier[] = [];
  const refusals: Partial<Record<Refusal, number>> = {};
  const holders = new Map<string, PooledCourier>();
  for (const courier of snapshot.couriers) {
    const order = held.get(courier.id);
    const pooled = pooledCourier(courier, order, { nowMs, project, parameters });
    if (order !== undefined) holders.set(order, pooled);
    const refusal = refusalOfCourier(courier, order, nowMs, parameters);
    if (refusal === undefined) couriers.push(pooled);
    else refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  }
  const orders = snapshot.orders
    .filter((order) => refusalOfOrder(order, holders.has(order.id), nowMs, parameters) === undefined)
    .map((order) => pooledOrder(order, holders.get(order.id), project));
  return { nowMs, orders, couriers, refusals };
}

/**
 * Which order each courier could be relieved of: one that may still be taken back, and that is known to be the last thing on
 * the courier's list. So it is where nothing else is on it, or nothing else is unconfirmed.
 */
export function heldOrders(snapshot: DispatchSnapshot, parameters: DispatchParameters): Map<string, string> {
  const couriers = new Map(snapshot.couriers.map((courier) => [courier.id, courier]));
  const held = new Map<string, string>();
  for (const { id, assignment } of snapshot.orders) {
    if (assignment === undefined || assignment.reassignments >= parameters.reassignmentsMax) continue;
    const courier = couriers.get(assignment.courier);
    if (courier === undefined) continue;
    const isLast = !assignment.isAccepted && courier.unacknowledged === 1 && courier.freeAtMs !== undefined;
    if (courier.load === 1 || isLast) held.set(courier.id, id);
  }
  return held;
}

/** Why an order is not looked at, whoever the courier; undefined when it is. */
export function refusalOfOrder(
  order: Order,
  canBeTakenBack: boolean,
  nowMs: number,
  parameters: DispatchParameters,
): "order-assigned" | "beyond-horizon" | undefined {
  if (order.assignment !== undefined && !canBeTakenBack) return "order-assigned";
  if (order.readyAtMs > nowMs + parameters.horizonMs) {
    return order.assignment === undefined ? "beyond-horizon" : "order-assigned";
  }
  return undefined;
}

/** Why a courier is not looked at, whatever the order; undefined when they are. `held` is what they could give back. */
export function refusalOfCourier(
  courier: Courier,
  held: string | undefined,
  nowMs: number,
  parameters: DispatchParameters,
): Refusal | undefined {
  const isFree = isFreeNow(courier, held, nowMs);
  const freeAtMs = isFree ? nowMs : courier.freeAtMs;
  if (courier.capacity < 1 || (courier.load >= courier.capacity && !isFree)) return "capacity";
  // Whoever has not confirmed the last order may be about to decline it: what they do next is not known.
  if (courier.unacknowledged > 0 && !isFree) return "unacknowledged";
  if (freeAtMs === undefined || freeAtMs > nowMs + parameters.courierFreeWithinMs) return "not-free";
  if (courier.shiftEndsAtMs < Math.max(nowMs, freeAtMs)) return "shift-over";
  if (isFree && courier.positionAtMs < nowMs - parameters.positionAgeMaxMs) return "position-stale";
  return undefined;
}

/** Has nothing to do, or nothing but what can be given back. */
function isFreeNow(courier: Courier, held: string | undefined, nowMs: number): boolean {
  if (courier.load === 0) return courier.freeAtMs === undefined || courier.freeAtMs <= nowMs;
  return courier.load === 1 && held !== undefined;
}

function pooledOrder(
  order: Order,
  holder: PooledCourier | undefined,
  project: (point: Point) => Place,
): PooledOrder {
  const store = project(order.store);
  const door = project(order.door);
  return {
    id: order.id,
    storeId: order.storeId,
    store,
    door,
    directMeters: metersBetween(store, door),
    placedAtMs: order.placedAtMs,
    readyAtMs: order.readyAtMs,
    vehicles: order.vehicles,
    declinedBy: new Set(order.declinedBy),
    holder,
  };
}

function pooledCourier(
  courier: Courier,
  held: string | undefined,
  {
    nowMs,
    project,
    parameters,
  }: {
    readonly nowMs: number;
    readonly project: (point: Point) => Place;
    readonly parameters: DispatchParameters;
  },
): PooledCourier {
  const isFree = isFreeNow(courier, held, nowMs);
  return {
    id: courier.id,
    start: project((isFree ? undefined : courier.freePosition) ?? courier.position),
    startsAtMs: isFree ? nowMs : Math.max(nowMs, courier.freeAtMs ?? nowMs),
    shiftEndsAtMs: courier.shiftEndsAtMs,
    metersPerMinute: speedOf(courier, parameters),
    vehicle: courier.vehicle,
    room: courier.capacity - (isFree ? 0 : courier.load),
    givesBack: isFree ? held : undefined,
  };
}

/** A kind of vehicle may have any name, also that of something every object has. */
function speedOf({ vehicle }: Courier, parameters: DispatchParameters): number {
  const { vehicleSpeeds, courierSpeedMetersPerMinute } = parameters;
  const own = Object.hasOwn(vehicleSpeeds, vehicle) ? vehicleSpeeds[vehicle] : undefined;
  return own ?? courierSpeedMetersPerMinute;
}
