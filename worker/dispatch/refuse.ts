import type { Bundle } from "./bundle.ts";
import type { DispatchParameters, Refusal } from "./model.ts";
import type { PooledCourier } from "./pool.ts";
import { delaysTooLong, pickupAtMs } from "./trip.ts";

/**
 * Why this courier must not bring this bundle; undefined when he or she may. `onTheWayMs` is theirs. Who has the bundle's
 * order already may always keep it.
 */
export function refusalOf(
  bundle: Bundle,
  courier: PooledCourier,
  onTheWayMs: number,
  parameters: DispatchParameters,
): Refusal | "bundle-delay" | undefined {
  if (bundle.orders[0]?.holder === courier) return undefined;
  if (onTheWayMs > parameters.pickupTravelMaxMs) return "too-far";
  if (bundle.orders.length > courier.room) return "capacity";
  if (pickupAtMs(bundle, courier.startsAtMs, onTheWayMs, parameters) > courier.shiftEndsAtMs) {
    return "shift-over";
  }
  for (const { vehicles, declinedBy } of bundle.orders) {
    if (vehicles.length > 0 && !vehicles.includes(courier.vehicle)) return "vehicle";
    if (declinedBy.has(courier.id)) return "declined";
  }
  return delaysTooLong(bundle, courier, onTheWayMs, parameters) ? "bundle-delay" : undefined;
}
