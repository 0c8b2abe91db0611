import { Candidates } from "./candidates.ts";
import { costsOf } from "./cost.ts";
import { mustLeaveNow } from "./hold.ts";
import type { Deadline, Decision, DispatchParameters, DispatchResult, DispatchSnapshot } from "./model.ts";
import { poolOf, type Pool } from "./pool.ts";
import { compareText } from "./rank.ts";
import { solve } from "./solve.ts";

/** Up to here every pair is looked at and nothing is left to prove: tens of milliseconds, hundreds when all orders are at one mall. */
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
  const matching = solve(candidatesOf(pool, snapshot.nowMs, parameters), deadline);
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

function candidatesOf(pool: Pool, nowMs: number, parameters: DispatchParameters): Candidates {
  const orders = pool.orders.length;
  const couriers = pool.couriers.length;
  return new Candidates({
    orders,
    couriers,
    costs: costsOf(pool, nowMs, parameters),
    nearest: orders * couriers <= DENSE_PAIRS_MAX ? couriers : NEAREST_COURIERS,
  });
}
