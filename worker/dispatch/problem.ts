import type { Bundle } from "./bundle.ts";
import { partsOf, partsOfNobody, sumOf } from "./cost.ts";
import type { CourierColumns } from "./courier-columns.ts";
import type { MatchingProblem } from "./matching/match.ts";
import type { DispatchParameters } from "./model.ts";
import { PairCosts } from "./pair-costs.ts";
import type { Pool } from "./pool.ts";
import { onTheWayMsOf } from "./trip.ts";

/** Bundles to match with the couriers of the pool, whose lists `columns` are. */
export function matchingProblemOf(
  pool: Pool,
  columns: CourierColumns,
  bundles: readonly Bundle[],
  parameters: DispatchParameters,
): MatchingProblem {
  const costs = new PairCosts(bundles, pool.couriers, columns, parameters);
  const { ids, x, y, group, groups } = columns;
  const alone = new Float64Array(bundles.length);
  const rowX = new Float64Array(bundles.length);
  const rowY = new Float64Array(bundles.length);
  bundles.forEach((bundle, row) => {
    rowX[row] = bundle.store.x;
    rowY[row] = bundle.store.y;
    alone[row] = costOfNoMatch(bundle, columns, pool.nowMs, parameters);
  });
  return {
    rows: { ids: bundles.map(({ id }) => id), x: rowX, y: rowY, alone },
    columns: { ids, x, y, group },
    pairCost: costs.of,
    pairCosts: costs.ofMany,
    pairCostAtLeast(row, ofGroup, meters) {
      const starts = groups[ofGroup];
      return starts === undefined ? Infinity : costs.atLeast(row, starts, meters);
    },
  };
}

/** An order whose holder is given nothing else stays where it is. */
function costOfNoMatch(
  bundle: Bundle,
  { columnOf }: CourierColumns,
  nowMs: number,
  parameters: DispatchParameters,
): number {
  const holder = bundle.orders[0]?.holder;
  if (holder === undefined || columnOf.has(holder.id)) return sumOf(partsOfNobody(bundle, nowMs, parameters));
  return sumOf(partsOf(bundle, holder, onTheWayMsOf(bundle, holder), parameters));
}
