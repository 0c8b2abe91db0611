import type { Bundle } from "./bundle.ts";
import type { CostParts, DispatchParameters } from "./model.ts";
import { travelMs } from "./plane.ts";
import type { PooledCourier } from "./pool.ts";
import { detourMs, pickupAtMs, toDoorMs } from "./trip.ts";

/** In horizons. An hour at the default: later than nearly everybody who is looked at would be there. */
const PATIENCE = 3;

/**
 * What a match is worth, in whole deciseconds of a courier's time: how late its orders are, and what it takes of the courier.
 * `onTheWayMs` is theirs.
 */
export function partsOf(
  bundle: Bundle,
  courier: PooledCourier,
  onTheWayMs: number,
  parameters: DispatchParameters,
): CostParts {
  const { weights, serviceTimeMs } = parameters;
  const { metersPerMinute } = courier;
  const pickupMs = pickupAtMs(bundle, courier.startsAtMs, onTheWayMs, parameters);
  const atStoreMs = courier.startsAtMs + onTheWayMs + serviceTimeMs / 2;
  const lastDoorMs = travelMs(bundle.doorMeters[bundle.doorMeters.length - 1] ?? 0, metersPerMinute);
  const holder = bundle.orders[0]?.holder;
  const isMoved = holder !== undefined && holder !== courier;
  let weighted = 0;
  let rounded = 0;
  // What each part adds to the rounded sum: so whoever costs the same does so to the decisecond, whatever the parts.
  const add = (weightedMs: number): number => {
    weighted += weightedMs;
    const before = rounded;
    rounded = toDeciseconds(weighted);
    return rounded - before;
  };
  return {
    lateAtPickup: add(weights.lateAtPickup * lateAtPickupMs(bundle, pickupMs)),
    lateAtDoor: add(weights.lateAtDoor * lateAtDoorMs(bundle, pickupMs, metersPerMinute, parameters)),
    travel: add(weights.travel * (onTheWayMs + lastDoorMs + bundle.orders.length * serviceTimeMs)),
    waiting: add(weights.waiting * (pickupMs - atStoreMs)),
    reassignment: add(isMoved ? weights.reassignment * parameters.reassignGainMinMs : 0),
    age: 0,
  };
}

export function sumOf(parts: CostParts): number {
  return (
    parts.lateAtPickup + parts.lateAtDoor + parts.travel + parts.waiting + parts.reassignment + parts.age
  );
}

/**
 * What it costs to leave the bundle without a courier in this answer: as if each of its orders were picked up later than
 * anybody who is looked at would be there, and more with the age of each.
 */
export function partsOfNobody(bundle: Bundle, nowMs: number, parameters: DispatchParameters): CostParts {
  const { weights, serviceTimeMs } = parameters;
  const pickupMs = nowMs + PATIENCE * parameters.horizonMs;
  let ageMs = 0;
  let toDoorsMs = 0;
  let lateMs = 0;
  for (const { placedAtMs, directMeters } of bundle.orders) {
    const toDoorMs = travelMs(directMeters, parameters.courierSpeedMetersPerMinute) + serviceTimeMs;
    ageMs += Math.max(0, nowMs - placedAtMs);
    toDoorsMs += toDoorMs;
    lateMs += Math.max(0, pickupMs + toDoorMs - placedAtMs - parameters.clickToDoorTargetMs);
  }
  return {
    lateAtPickup: toDeciseconds(weights.lateAtPickup * lateAtPickupMs(bundle, pickupMs)),
    lateAtDoor: toDeciseconds(weights.lateAtDoor * lateMs),
    travel: toDeciseconds(weights.travel * toDoorsMs),
    waiting: 0,
    reassignment: 0,
    age: toDeciseconds(weights.age * ageMs),
  };
}

/** Whole numbers add up to the same sum in any order, so that equal answers compare as equal. */
export function toDeciseconds(ms: number): number {
  return Math.floor(ms / 100 + 0.5);
}

function lateAtPickupMs(bundle: Bundle, pickupMs: number): number {
  let lateMs = 0;
  for (const order of bundle.orders) lateMs += pickupMs - order.readyAtMs;
  return lateMs;
}

/** Because of other doors before, and because of the time that was promised. */
function lateAtDoorMs(
  bundle: Bundle,
  pickupMs: number,
  metersPerMinute: number,
  parameters: DispatchParameters,
): number {
  let lateMs = 0;
  let stop = 0;
  for (const { placedAtMs } of bundle.orders) {
    const atDoorMs = pickupMs + toDoorMs(bundle, stop, metersPerMinute, parameters);
    lateMs +=
      detourMs(bundle, stop, metersPerMinute, parameters) +
      Math.max(0, atDoorMs - placedAtMs - parameters.clickToDoorTargetMs);
    stop++;
  }
  return lateMs;
}
