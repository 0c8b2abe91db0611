import type { Bundle } from "./bundle.ts";
import type { DispatchParameters, HoldReason } from "./model.ts";
import type { PooledCourier } from "./pool.ts";
import { onTheWayMsOf, pickupAtMs } from "./trip.ts";

/**
 * Why the match is held for the next tick to think about again, with more orders and couriers in view; undefined when it must
 * be committed now, for ever, since to leave a tick later would be to pick up later. A courier who is not free until the
 * next tick can always be held, and so can one who would wait at the store for longer than a tick.
 */
export function whyHeld(
  bundle: Bundle,
  courier: PooledCourier,
  nowMs: number,
  parameters: DispatchParameters,
): HoldReason | undefined {
  const onTheWayMs = onTheWayMsOf(bundle, courier);
  const nextTickMs = nowMs + parameters.periodMs;
  if (courier.startsAtMs >= nextTickMs) return "courier-busy";
  const pickupMs = pickupAtMs(bundle, courier.startsAtMs, onTheWayMs, parameters);
  const laterMs = pickupAtMs(bundle, nextTickMs, onTheWayMs, parameters);
  return laterMs > pickupMs ? undefined : "time-left";
}
