import type { Bundle } from "./bundle.ts";
import type { DispatchParameters } from "./model.ts";
import { metersBetween, travelMs } from "./plane.ts";
import type { PooledCourier } from "./pool.ts";

/** When one courier would be where with one bundle. Half of each handling comes before an order changes hands, half after. */

export function onTheWayMsOf(bundle: Bundle, courier: PooledCourier): number {
  return travelMs(metersBetween(courier.start, bundle.store), courier.metersPerMinute);
}

/** When the orders change hands if their courier leaves at `startsAtMs`: never before all of them are ready. */
export function pickupAtMs(
  bundle: Bundle,
  startsAtMs: number,
  onTheWayMs: number,
  { serviceTimeMs }: DispatchParameters,
): number {
  return Math.max(startsAtMs + onTheWayMs + serviceTimeMs / 2, bundle.readyAtMs);
}

/** From pickup to the hand-over at the door of this stop, which counts from 0. */
export function toDoorMs(
  bundle: Bundle,
  stop: number,
  metersPerMinute: number,
  { serviceTimeMs }: DispatchParameters,
): number {
  return travelMs(bundle.doorMeters[stop] ?? 0, metersPerMinute) + (stop + 1) * serviceTimeMs;
}

/** How much later than straight from the store the order of this stop is at its door, because of the doors before. */
export function detourMs(
  bundle: Pick<Bundle, "orders" | "doorMeters">,
  stop: number,
  metersPerMinute: number,
  { serviceTimeMs }: DispatchParameters,
): number {
  if (stop === 0) return 0;
  const directMs = travelMs(bundle.orders[stop]?.directMeters ?? 0, metersPerMinute);
  return travelMs(bundle.doorMeters[stop] ?? 0, metersPerMinute) - directMs + stop * serviceTimeMs;
}

/** Whether an order would be at its door more than `bundleDelayMaxMs` later than if this courier brought it alone. */
export function delaysTooLong(
  bundle: Bundle,
  courier: PooledCourier,
  onTheWayMs: number,
  parameters: DispatchParameters,
): boolean {
  if (bundle.orders.length === 1) return false;
  const atStoreMs = courier.startsAtMs + onTheWayMs + parameters.serviceTimeMs / 2;
  const pickupMs = Math.max(atStoreMs, bundle.readyAtMs);
  return bundle.orders.some(
    (order, stop) =>
      pickupMs -
        Math.max(atStoreMs, order.readyAtMs) +
        detourMs(bundle, stop, courier.metersPerMinute, parameters) >
      parameters.bundleDelayMaxMs,
  );
}
