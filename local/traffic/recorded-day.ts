import { DEFAULT_DISPATCH, type CityDispatchSpec } from "../../crds/city.ts";
import type { CityRules, CityScript } from "./city-script.ts";
import { MINUTE_MS } from "./demand.ts";
import { METERS_PER_DEGREE, type Point } from "./geometry.ts";
import type { MdrpDay } from "./mdrplib.ts";

/** One minute of the recorded day in one second. */
export const RECORDED_SPEED = 60;

/** The day begins this long before its first order, so that stores and couriers are there when it comes. */
const LEAD_MS = MINUTE_MS;

/** The library lets couriers carry several orders; three is the longest bundle of its authors. */
const COURIER_CAPACITY = 3;

/** Finer than the files, coarser than the rounding error of degrees: whole distances come back whole. */
const METERS_STEPS = 1_000;

/**
 * The script of a recorded day. Its plane lies around (0, 0), where a degree is equally long in both directions, so that
 * places keep their metres. Rules of the library: travel takes whole minutes, rounded up; half of the service time passes
 * before each stop and half after; nobody declines, nobody cancels, and what a courier cannot pick up before the end of the
 * shift is left to others.
 */
export function recordedScript(day: MdrpDay): CityScript {
  const orders = day.orders.map((order) => ({
    id: order.id,
    storeId: order.restaurant,
    door: toPoint(order),
    vehicles: [],
    placedAtMs: order.placedAtMinute * MINUTE_MS,
    promisedAtMs: order.readyAtMinute * MINUTE_MS,
    readyAtMs: order.readyAtMinute * MINUTE_MS,
    givesUpAtMs: undefined,
  }));
  const shifts = day.couriers.map((courier) => ({
    courierId: courier.id,
    position: toPoint(courier),
    vehicle: "",
    capacity: COURIER_CAPACITY,
    onMs: courier.onAtMinute * MINUTE_MS,
    offMs: courier.offAtMinute * MINUTE_MS,
  }));
  orders.sort((a, b) => a.placedAtMs - b.placedAtMs);
  return {
    startMs: (orders[0]?.placedAtMs ?? 0) - LEAD_MS,
    stores: day.restaurants.map((restaurant) => ({
      id: restaurant.id,
      name: `Restaurant ${restaurant.id}`,
      position: toPoint(restaurant),
    })),
    shifts: shifts.sort((a, b) => a.onMs - b.onMs),
    orders,
    rules: recordedRules(day),
  };
}

/** The product's defaults, but for what the recorded day's couriers do; in real time. */
export function recordedDispatch(day: MdrpDay): CityDispatchSpec {
  return {
    ...DEFAULT_DISPATCH,
    courierSpeedMetersPerMinute: Math.round(day.metersPerMinute),
    serviceTime: `${Math.round(((day.pickupServiceMinutes + day.dropoffServiceMinutes) / 2) * 60)}s`,
  };
}

function recordedRules(day: MdrpDay): CityRules {
  const travelMs = (from: Point, to: Point): number => {
    const meters = Math.round(planeMeters(from, to) * METERS_STEPS) / METERS_STEPS;
    return Math.ceil(meters / day.metersPerMinute) * MINUTE_MS;
  };
  return {
    expectedTravelMs: travelMs,
    travelMs: ({ from, to }) => travelMs(from, to),
    pickupServiceMs: day.pickupServiceMinutes * MINUTE_MS,
    dropoffServiceMs: day.dropoffServiceMinutes * MINUTE_MS,
    answer: () => ({ accepts: true, afterMs: 0 }),
  };
}

function toPoint(place: { readonly x: number; readonly y: number }): Point {
  return { latitude: place.y / METERS_PER_DEGREE, longitude: place.x / METERS_PER_DEGREE };
}

function planeMeters(from: Point, to: Point): number {
  const north = (to.latitude - from.latitude) * METERS_PER_DEGREE;
  const east = (to.longitude - from.longitude) * METERS_PER_DEGREE;
  return Math.hypot(east, north);
}
