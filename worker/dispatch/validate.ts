import { bundleInSequence } from "./bundle.ts";
import {
  REFUSALS,
  type Decision,
  type DispatchParameters,
  type DispatchSnapshot,
  type Refusal,
} from "./model.ts";
import { heldOrders, poolOf, refusalOfCourier, type PooledCourier, type PooledOrder } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { onTheWayMsOf } from "./trip.ts";

/** Why a decision must not be sent, beside what keeps a courier away from an order. */
const WRONG_DECISIONS = [
  "unknown-order",
  "unknown-courier",
  "order-assigned",
  "order-twice",
  "beyond-horizon",
  /** It is not with the courier from whom the decision takes it. */
  "not-from",
  /** Several for one courier, of more than one store. */
  "two-stores",
  "bundle-too-large",
  "bundle-delay",
  /** The stops of one courier are not 1, 2, 3 …. */
  "stops",
  /** The courier has an order that could be given back, and is not relieved of it. */
  "not-relieved",
] as const;

/** Why a decision must not be sent. */
export type DecisionRefusal = Refusal | (typeof WRONG_DECISIONS)[number];

export const DECISION_REFUSALS: readonly DecisionRefusal[] = [...REFUSALS, ...WRONG_DECISIONS];

export type Validation = {
  readonly accepted: readonly Decision[];
  readonly refused: readonly { readonly decision: Decision; readonly because: DecisionRefusal }[];
};

type Check = (decision: Decision) => DecisionRefusal | undefined;

/**
 * Checks decisions against the snapshot they were made from. For any dispatcher's answer, so it trusts nothing of how the
 * answer was found: each decision by itself first, then all of one courier together, who stand or fall together, then
 * whether each courier who is given something new was relieved of what he or she had.
 */
export function validateDecisions(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  decisions: readonly Decision[],
): Validation {
  const pool = poolOf(snapshot, parameters);
  const orders = new Map(pool.orders.map((order) => [order.id, order]));
  const couriers = new Map(pool.couriers.map((courier) => [courier.id, courier]));
  const check = createCheck(snapshot, parameters, orders, couriers);
  const refused = new Map<Decision, DecisionRefusal>();
  const decided = new Set<string>();
  for (const decision of decisions) {
    const because = check(decision) ?? (decided.has(decision.order) ? "order-twice" : undefined);
    if (because !== undefined) refused.set(decision, because);
    else decided.add(decision.order);
  }
  const standing = decisions.filter((decision) => !refused.has(decision));
  for (const [courierId, ofCourier] of Map.groupBy(standing, ({ courier }) => courier)) {
    const courier = couriers.get(courierId);
    const because =
      courier === undefined ? "unknown-courier" : refusalOfAll(ofCourier, courier, orders, parameters);
    if (because === undefined) continue;
    for (const decision of ofCourier) refused.set(decision, because);
  }
  refuseUnrelieved(decisions, refused, couriers);
  return {
    accepted: decisions.filter((decision) => !refused.has(decision)),
    refused: decisions.flatMap((decision) => {
      const because = refused.get(decision);
      return because === undefined ? [] : [{ decision, because }];
    }),
  };
}

/** Of one decision by itself. */
function createCheck(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  pooledOrders: ReadonlyMap<string, PooledOrder>,
  pooledCouriers: ReadonlyMap<string, PooledCourier>,
): Check {
  const orders = new Map(snapshot.orders.map((order) => [order.id, order]));
  const couriers = new Map(snapshot.couriers.map((courier) => [courier.id, courier]));
  const held = heldOrders(snapshot, parameters);
  return ({ order: orderId, courier: courierId, from }) => {
    const order = orders.get(orderId);
    if (order === undefined) return "unknown-order";
    const courier = couriers.get(courierId);
    if (courier === undefined) return "unknown-courier";
    const pooledOrder = pooledOrders.get(orderId);
    if (pooledOrder === undefined)
      return order.assignment === undefined ? "beyond-horizon" : "order-assigned";
    if (order.assignment?.courier === courierId) return "order-assigned";
    if (order.assignment?.courier !== from) return "not-from";
    const pooledCourier = pooledCouriers.get(courierId);
    if (pooledCourier === undefined) {
      return refusalOfCourier(courier, held.get(courierId), snapshot.nowMs, parameters);
    }
    const alone = bundleInSequence([pooledOrder]);
    return refusalOf(alone, pooledCourier, onTheWayMsOf(alone, pooledCourier), parameters);
  };
}

/** Of all that one courier is given, each of which would be right by itself. */
function refusalOfAll(
  decisions: readonly Decision[],
  courier: PooledCourier,
  pooledOrders: ReadonlyMap<string, PooledOrder>,
  parameters: DispatchParameters,
): DecisionRefusal | undefined {
  const sequence = decisions.toSorted((a, b) => a.stop - b.stop);
  if (sequence.some(({ stop }, index) => stop !== index + 1)) return "stops";
  const orders = sequence.flatMap(({ order }) => pooledOrders.get(order) ?? []);
  if (new Set(orders.map(({ storeId }) => storeId)).size > 1) return "two-stores";
  if (orders.length > parameters.bundleOrdersMax) return "bundle-too-large";
  const bundle = bundleInSequence(orders);
  return refusalOf(bundle, courier, onTheWayMsOf(bundle, courier), parameters);
}

/** Adds to `refused` until nothing changes: what is refused relieves nobody. */
function refuseUnrelieved(
  decisions: readonly Decision[],
  refused: Map<Decision, DecisionRefusal>,
  couriers: ReadonlyMap<string, PooledCourier>,
): void {
  for (let isStable = false; !isStable;) {
    isStable = true;
    const given = new Set(decisions.filter((one) => !refused.has(one)).map(({ order }) => order));
    for (const decision of decisions) {
      const givesBack = couriers.get(decision.courier)?.givesBack;
      if (refused.has(decision) || givesBack === undefined || given.has(givesBack)) continue;
      refused.set(decision, "not-relieved");
      isStable = false;
    }
  }
}
