import type { Courier, Decision, DispatchParameters, DispatchSnapshot, Order, Refusal } from "./model.ts";
import { poolOf, refusalOfCourier, refusalOfOrder, refusalOfPair, onTheWayMsOf } from "./pool.ts";

/** Why a decision must not be sent. */
export type DecisionRefusal =
  | Refusal
  | "unknown-order"
  | "unknown-courier"
  | "order-assigned"
  | "order-twice"
  | "beyond-horizon";

export type Validation = {
  readonly accepted: readonly Decision[];
  readonly refused: readonly { readonly decision: Decision; readonly because: DecisionRefusal }[];
};

/**
 * Checks decisions against the snapshot they were made from, in the order given: an earlier one counts against the
 * capacity that a later one needs. For any dispatcher's answer, so it trusts nothing of how the answer was found.
 */
export function validateDecisions(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  decisions: readonly Decision[],
): Validation {
  const refusalOf = createCheck(snapshot, parameters);
  const accepted: Decision[] = [];
  const refused: { decision: Decision; because: DecisionRefusal }[] = [];
  for (const decision of decisions) {
    const because = refusalOf(decision);
    if (because === undefined) accepted.push(decision);
    else refused.push({ decision, because });
  }
  return { accepted, refused };
}

/** Answers for one decision after the other, remembering those it let through. */
function createCheck(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
): (decision: Decision) => DecisionRefusal | undefined {
  const pool = poolOf(snapshot, parameters);
  const orders = new Map(snapshot.orders.map((order) => [order.id, order]));
  const couriers = new Map(snapshot.couriers.map((courier) => [courier.id, courier]));
  const pooledOrders = new Map(pool.orders.map((order) => [order.id, order]));
  const pooledCouriers = new Map(pool.couriers.map((courier) => [courier.id, courier]));
  const decided = new Set<string>();
  const newLoad = new Map<string, number>();

  const alone = (decision: Decision): DecisionRefusal | undefined => {
    const order: Order | undefined = orders.get(decision.order);
    if (order === undefined) return "unknown-order";
    const courier: Courier | undefined = couriers.get(decision.courier);
    if (courier === undefined) return "unknown-courier";
    return (
      refusalOfOrder(order, snapshot.nowMs, parameters) ??
      refusalOfCourier(courier, snapshot.nowMs, parameters)
    );
  };
  return (decision) => {
    const because = alone(decision);
    if (because !== undefined) return because;
    if (decided.has(decision.order)) return "order-twice";
    const order = pooledOrders.get(decision.order);
    const courier = pooledCouriers.get(decision.courier);
    if (order === undefined) return "unknown-order";
    if (courier === undefined) return "unknown-courier";
    const load = (couriers.get(courier.id)?.load ?? 0) + (newLoad.get(courier.id) ?? 0);
    if (load >= (couriers.get(courier.id)?.capacity ?? 0)) return "capacity";
    const pairRefusal = refusalOfPair(order, courier, onTheWayMsOf(order, courier, parameters), parameters);
    if (pairRefusal !== undefined) return pairRefusal;
    decided.add(decision.order);
    newLoad.set(courier.id, (newLoad.get(courier.id) ?? 0) + 1);
    return undefined;
  };
}
