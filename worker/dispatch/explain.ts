import { partsOfPair, sumOf } from "./cost.ts";
import type { DispatchParameters, DispatchSnapshot, Explanation, Refusal } from "./model.ts";
import {
  onTheWayMsOf,
  refusalOfCourier,
  refusalOfOrder,
  refusalOfPair,
  type Pool,
  type PooledCourier,
  type PooledOrder,
} from "./pool.ts";

/** For the orders that are not looked at: they have a courier, or are ready too far in the future. */
export function explainUnlooked(snapshot: DispatchSnapshot, parameters: DispatchParameters): Explanation[] {
  return snapshot.orders.flatMap((order): Explanation[] => {
    if (refusalOfOrder(order, snapshot.nowMs, parameters) === undefined) return [];
    if (order.assignment !== undefined) {
      return [{ order: order.id, kind: "kept", courier: order.assignment.courier }];
    }
    return [{ order: order.id, kind: "beyond-horizon", lookAtMs: order.readyAtMs - parameters.horizonMs }];
  });
}

export function explainAssigned(
  order: PooledOrder,
  courier: PooledCourier,
  pool: Pool,
  parameters: DispatchParameters,
): Explanation {
  return {
    order: order.id,
    kind: "assigned",
    courier: courier.id,
    from: undefined,
    with: [],
    cost: partsOfPair(order, courier, onTheWayMsOf(order, courier, parameters), parameters),
    runnerUp: cheapestOther(order, courier, pool, parameters),
  };
}

export function explainHeld(
  order: PooledOrder,
  courier: PooledCourier,
  nowMs: number,
  parameters: DispatchParameters,
): Explanation {
  const lookAgainAtMs = nowMs + parameters.periodMs;
  return {
    order: order.id,
    kind: "held",
    because: courier.startsAtMs >= lookAgainAtMs ? "courier-busy" : "time-left",
    courier: courier.id,
    lookAgainAtMs,
    cost: partsOfPair(order, courier, onTheWayMsOf(order, courier, parameters), parameters),
  };
}

export function explainUnassignable(
  order: PooledOrder,
  pool: Pool,
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
): Explanation {
  const refusals: Partial<Record<Refusal, number>> = {};
  const count = (refusal: Refusal | undefined): void => {
    if (refusal !== undefined) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  };
  for (const courier of snapshot.couriers) count(refusalOfCourier(courier, snapshot.nowMs, parameters));
  let mayTakeIt = 0;
  for (const courier of pool.couriers) {
    const refusal = refusalOfPair(order, courier, onTheWayMsOf(order, courier, parameters), parameters);
    if (refusal === undefined) mayTakeIt++;
    count(refusal);
  }
  return {
    order: order.id,
    kind: "unassignable",
    because: mayTakeIt === 0 ? "nobody-may" : "outbid",
    refusals,
  };
}

function cheapestOther(
  order: PooledOrder,
  courier: PooledCourier,
  pool: Pool,
  parameters: DispatchParameters,
): Extract<Explanation, { readonly kind: "assigned" }>["runnerUp"] {
  let best: ReturnType<typeof cheapestOther>;
  for (const other of pool.couriers) {
    if (other === courier) continue;
    const onTheWayMs = onTheWayMsOf(order, other, parameters);
    if (refusalOfPair(order, other, onTheWayMs, parameters) !== undefined) continue;
    const cost = partsOfPair(order, other, onTheWayMs, parameters);
    const difference = best === undefined ? -1 : sumOf(cost) - sumOf(best.cost);
    // The same one among equals, whatever the order of the lists.
    if (difference > 0 || (difference === 0 && best !== undefined && best.courier < other.id)) continue;
    best = { courier: other.id, cost };
  }
  return best;
}
