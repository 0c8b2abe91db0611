import type { CityRules, CustomerOrder, FreeAgain } from "./city-script.ts";
import { between, type Point } from "./geometry.ts";

/** One courier's way with one order, from setting out to being free again. Times are milliseconds of the simulated day. */
export type Trip = {
  readonly orderId: string;
  readonly from: Point;
  readonly store: Point;
  readonly door: Point;
  readonly departMs: number;
  readonly atStoreMs: number;
  readonly pickUpMs: number;
  readonly leaveMs: number;
  readonly atDoorMs: number;
  readonly deliverMs: number;
  readonly freeMs: number;
};

/**
 * Half of the service time passes before each stop's event and half after, and nothing is picked up before it is ready:
 * the rules of the Meal Delivery Routing Problem (Reyes et al. 2018).
 */
export function planTrip(input: {
  readonly orderId: string;
  readonly from: Point;
  readonly store: Point;
  readonly door: Point;
  readonly departMs: number;
  readonly readyAtMs: number;
  readonly toStoreMs: number;
  readonly toDoorMs: number;
  readonly rules: Pick<CityRules, "pickupServiceMs" | "dropoffServiceMs">;
}): Trip {
  const { orderId, from, store, door, departMs, rules } = input;
  const atStoreMs = departMs + input.toStoreMs;
  const pickUpMs = Math.max(atStoreMs + rules.pickupServiceMs / 2, input.readyAtMs);
  const leaveMs = pickUpMs + rules.pickupServiceMs / 2;
  const atDoorMs = leaveMs + input.toDoorMs;
  const deliverMs = atDoorMs + rules.dropoffServiceMs / 2;
  const freeMs = deliverMs + rules.dropoffServiceMs / 2;
  return { orderId, from, store, door, departMs, atStoreMs, pickUpMs, leaveMs, atDoorMs, deliverMs, freeMs };
}

/** The trip as the courier's app foresees it: with the promised readiness and the map's travel times. */
export function expectedTrip(input: {
  readonly order: CustomerOrder;
  readonly store: Point;
  readonly start: FreeAgain;
  readonly rules: CityRules;
}): Trip {
  const { order, store, start, rules } = input;
  return planTrip({
    orderId: order.id,
    from: start.position,
    store,
    door: order.door,
    departMs: start.atMs,
    readyAtMs: order.promisedAtMs,
    toStoreMs: rules.expectedTravelMs(start.position, store),
    toDoorMs: rules.expectedTravelMs(store, order.door),
    rules,
  });
}

/** Where the courier is on this trip, at any time. */
export function positionOn(trip: Trip, atMs: number): Point {
  if (atMs < trip.atStoreMs) return onTheWay(trip.from, trip.store, trip.departMs, trip.atStoreMs, atMs);
  if (atMs < trip.leaveMs) return trip.store;
  return onTheWay(trip.store, trip.door, trip.leaveMs, trip.atDoorMs, atMs);
}

function onTheWay(from: Point, to: Point, departMs: number, arriveMs: number, atMs: number): Point {
  if (atMs >= arriveMs) return to;
  return between(from, to, (atMs - departMs) / (arriveMs - departMs));
}
