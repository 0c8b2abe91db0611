import type { DispatchParameters } from "./model.ts";
import { onTheWayMsOf, pickupAtMs, type PooledCourier, type PooledOrder } from "./pool.ts";

/**
 * Whether the pair is committed now, for ever, or held for the next tick to think about again with more orders and
 * couriers in view: now, when to leave a tick later would be to pick up later. A courier who is not free until the next
 * tick can always be held, and so can one who would wait at the store for longer than a tick.
 */
export function mustLeaveNow(
  order: PooledOrder,
  courier: PooledCourier,
  nowMs: number,
  parameters: DispatchParameters,
): boolean {
  const onTheWayMs = onTheWayMsOf(order, courier, parameters);
  const leavesLaterAtMs = Math.max(courier.startsAtMs, nowMs + parameters.periodMs);
  return (
    pickupAtMs(order, leavesLaterAtMs, onTheWayMs, parameters) >
    pickupAtMs(order, courier.startsAtMs, onTheWayMs, parameters)
  );
}
