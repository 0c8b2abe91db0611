import { explainAssigned, explainHeld, explainUnassignable, explainUnlooked } from "./explain.ts";
import { mustLeaveNow } from "./hold.ts";
import { match } from "./matching/match.ts";
import { compareText } from "./matching/rank.ts";
import type {
  Deadline,
  Decision,
  DispatchParameters,
  DispatchResult,
  DispatchSnapshot,
  Explanation,
} from "./model.ts";
import { poolOf } from "./pool.ts";
import { matchingProblemOf } from "./problem.ts";

/**
 * Which courier takes which order, now. A pure function: the same snapshot, parameters and answers of the deadline give
 * the same result, whatever the order of the lists. Once `deadline` has passed it returns within the time that one look
 * at every pair takes, with the best feasible answer it has.
 */
export function dispatch(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  deadline: Deadline,
): DispatchResult {
  const pool = poolOf(snapshot, parameters);
  const matching = match(matchingProblemOf(pool, snapshot.nowMs, parameters), deadline);
  const decisions: Decision[] = [];
  const explanations: Explanation[] = explainUnlooked(snapshot, parameters);
  pool.orders.forEach((order, index) => {
    const courier = pool.couriers[matching.columnOf[index] ?? -1];
    if (courier === undefined) {
      explanations.push(explainUnassignable(order, pool, snapshot, parameters));
    } else if (mustLeaveNow(order, courier, snapshot.nowMs, parameters)) {
      decisions.push({ order: order.id, courier: courier.id, stop: 1, from: undefined });
      explanations.push(explainAssigned(order, courier, pool, parameters));
    } else explanations.push(explainHeld(order, courier, snapshot.nowMs, parameters));
  });
  return {
    decisions: decisions.sort((a, b) => compareText(a.order, b.order)),
    explanations: explanations.sort((a, b) => compareText(a.order, b.order)),
    degraded: !matching.isComplete,
    gap: matching.gap,
  };
}
