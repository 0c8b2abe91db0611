import { costsOf } from "./cost.ts";
import type { MatchingProblem } from "./matching/match.ts";
import type { DispatchParameters } from "./model.ts";
import type { Pool } from "./pool.ts";

/** Orders to match with couriers, at the costs of `costsOf`. Rows and columns are the pool's lists. */
export function matchingProblemOf(
  pool: Pool,
  nowMs: number,
  parameters: DispatchParameters,
): MatchingProblem {
  const { orders, couriers } = pool;
  const costs = costsOf(pool, nowMs, parameters);
  return {
    rows: {
      ids: orders.map(({ id }) => id),
      x: Float64Array.from(orders, ({ store }) => store.x),
      y: Float64Array.from(orders, ({ store }) => store.y),
      alone: Float64Array.from(orders, (_, order) => costs.unassigned(order)),
    },
    columns: {
      ids: couriers.map(({ id }) => id),
      x: Float64Array.from(couriers, ({ start }) => start.x),
      y: Float64Array.from(couriers, ({ start }) => start.y),
      group: costs.startMinutes,
    },
    pairCost: costs.pair,
    pairCostAtLeast: costs.pairAtLeast,
  };
}
