import { Candidates } from "./candidates.ts";
import { costsOf } from "./cost.ts";
import { mustLeaveNow } from "./hold.ts";
import { matchAtMinimumCost, type Matching } from "./matching.ts";
import type { Deadline, Decision, DispatchParameters, DispatchResult, DispatchSnapshot } from "./model.ts";
import { poolOf, type Pool } from "./pool.ts";
import { compareText } from "./rank.ts";

/** Up to here every pair is looked at: below a tenth of a second, and nothing is left to prove. */
const DENSE_PAIRS_MAX = 400_000;
const NEAREST_COURIERS = 20;

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
  const pool = mostPressingFirst(poolOf(snapshot, parameters));
  const matching = match(pool, snapshot.nowMs, parameters, deadline);
  const decisions: Decision[] = [];
  let held = 0;
  let unassignable = 0;
  pool.orders.forEach((order, index) => {
    const courier = pool.couriers[matching.columnOf[index] ?? -1];
    if (courier === undefined) unassignable++;
    else if (mustLeaveNow(order, courier, snapshot.nowMs, parameters)) {
      decisions.push({ order: order.id, courier: courier.id });
    } else held++;
  });
  decisions.sort((a, b) => compareText(a.order, b.order));
  return { decisions, held, unassignable, degraded: !matching.isComplete };
}

/** The longest ready first: a deadline costs those at the end. */
function mostPressingFirst(pool: Pool): Pool {
  return { ...pool, orders: pool.orders.toSorted((a, b) => a.readyAtMs - b.readyAtMs) };
}

function match(pool: Pool, nowMs: number, parameters: DispatchParameters, deadline: Deadline): Matching {
  const orders = pool.orders.length;
  const couriers = pool.couriers.length;
  const candidates = new Candidates({
    orders,
    couriers,
    costs: costsOf(pool, nowMs, parameters),
    nearest: orders * couriers <= DENSE_PAIRS_MAX ? couriers : NEAREST_COURIERS,
  });
  let matching = matchAtMinimumCost(candidates, deadline);
  while (matching.isComplete && candidates.addImprovements(matching) > 0) {
    const improved = matchAtMinimumCost(candidates, deadline);
    // Cut short, it may be worse than the one before; either way the answer is no longer known to be the best.
    matching = improved.isComplete ? improved : { ...matching, isComplete: false };
  }
  return matching;
}
