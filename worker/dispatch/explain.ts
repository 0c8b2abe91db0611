import type { Bundle } from "./bundle.ts";
import type { Match } from "./commit.ts";
import { partsOf } from "./cost.ts";
import type {
  CostParts,
  DispatchParameters,
  DispatchSnapshot,
  Explanation,
  HoldReason,
  Refusal,
} from "./model.ts";
import type { Pool, PooledCourier } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { onTheWayMsOf } from "./trip.ts";

/** For the orders that are not looked at: they have a courier, or are ready too far in the future. */
export function explainUnlooked(
  snapshot: DispatchSnapshot,
  pool: Pool,
  parameters: DispatchParameters,
): Explanation[] {
  const looked = new Set(pool.orders.map(({ id }) => id));
  return snapshot.orders
    .filter(({ id }) => !looked.has(id))
    .map(({ id, assignment, readyAtMs }) =>
      assignment === undefined
        ? { order: id, kind: "beyond-horizon", lookAtMs: readyAtMs - parameters.horizonMs }
        : { order: id, kind: "kept", courier: assignment.courier },
    );
}

/** `because`: why the match is not committed, if it is not. */
export function explainMatched(
  { bundle, courier, runnerUp }: Match & { readonly courier: PooledCourier },
  because: HoldReason | "kept" | undefined,
  pool: Pool,
  parameters: DispatchParameters,
): Explanation[] {
  const cost = costOf(bundle, courier, parameters);
  return bundle.orders.map((order): Explanation => {
    if (because !== undefined && order.holder !== undefined) {
      return { order: order.id, kind: "kept", courier: order.holder.id };
    }
    if (because === "courier-busy" || because === "time-left") {
      const lookAgainAtMs = pool.nowMs + parameters.periodMs;
      return { order: order.id, kind: "held", because, courier: courier.id, lookAgainAtMs, cost };
    }
    return {
      order: order.id,
      kind: "assigned",
      courier: courier.id,
      from: order.holder?.id,
      with: bundle.orders.filter((other) => other !== order).map(({ id }) => id),
      cost,
      runnerUp:
        runnerUp === undefined
          ? undefined
          : { courier: runnerUp.id, cost: costOf(bundle, runnerUp, parameters) },
    };
  });
}

export function explainUnmatched(bundle: Bundle, pool: Pool, parameters: DispatchParameters): Explanation[] {
  return bundle.orders.map((order): Explanation => {
    if (order.holder !== undefined) return { order: order.id, kind: "kept", courier: order.holder.id };
    const refusals: Partial<Record<Refusal, number>> = { ...pool.refusals };
    let refused = 0;
    for (const courier of pool.couriers) {
      const refusal = refusalOf(bundle, courier, onTheWayMsOf(bundle, courier), parameters);
      if (refusal === undefined || refusal === "bundle-delay") continue;
      refusals[refusal] = (refusals[refusal] ?? 0) + 1;
      refused++;
    }
    const because = refused === pool.couriers.length ? "nobody-may" : "outbid";
    return { order: order.id, kind: "unassignable", because, refusals };
  });
}

function costOf(bundle: Bundle, courier: PooledCourier, parameters: DispatchParameters): CostParts {
  return partsOf(bundle, courier, onTheWayMsOf(bundle, courier), parameters);
}
