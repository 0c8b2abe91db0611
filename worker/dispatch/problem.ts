import type { Bundle } from "./bundle.ts";
import { partsOf, partsOfNobody, sumOf } from "./cost.ts";
import type { MatchingProblem } from "./matching/match.ts";
import type { DispatchParameters } from "./model.ts";
import { PairCosts, type Starts } from "./pair-costs.ts";
import type { Pool, PooledCourier } from "./pool.ts";
import { onTheWayMsOf } from "./trip.ts";

const MINUTE_MS = 60_000;

/** Bundles to match with the couriers of the pool. */
export function matchingProblemOf(
  pool: Pool,
  bundles: readonly Bundle[],
  parameters: DispatchParameters,
): MatchingProblem {
  const { couriers } = pool;
  const costs = new PairCosts(bundles, couriers, parameters);
  const { groups, groupOf } = groupsOf(pool, costs.speedOf);
  const columns = new Set(couriers);
  return {
    rows: {
      ids: bundles.map(({ id }) => id),
      x: Float64Array.from(bundles, ({ store }) => store.x),
      y: Float64Array.from(bundles, ({ store }) => store.y),
      alone: Float64Array.from(bundles, (bundle) => costOfNoMatch(bundle, columns, pool.nowMs, parameters)),
    },
    columns: {
      ids: couriers.map(({ id }) => id),
      x: Float64Array.from(couriers, ({ start }) => start.x),
      y: Float64Array.from(couriers, ({ start }) => start.y),
      group: groupOf,
    },
    pairCost: costs.of,
    pairCosts: costs.ofMany,
    pairCostAtLeast(row, group, meters) {
      const starts = groups[group];
      return starts === undefined ? Infinity : costs.atLeast(row, starts, meters);
    },
  };
}

/** An order whose holder is given nothing else stays where it is. */
function costOfNoMatch(
  bundle: Bundle,
  columns: ReadonlySet<PooledCourier>,
  nowMs: number,
  parameters: DispatchParameters,
): number {
  const holder = bundle.orders[0]?.holder;
  if (holder === undefined || columns.has(holder)) return sumOf(partsOfNobody(bundle, nowMs, parameters));
  return sumOf(partsOf(bundle, holder, onTheWayMsOf(bundle, holder), parameters));
}

/** Couriers of one speed who start within the same minute; whoever is free now, together. */
function groupsOf(
  { couriers, nowMs }: Pool,
  speedOf: Int32Array,
): { readonly groups: readonly Starts[]; readonly groupOf: Int32Array } {
  const groups: Starts[] = [];
  const known = new Map<string, number>();
  const groupOf = Int32Array.from(couriers, ({ startsAtMs }, column) => {
    const minute = Math.ceil((startsAtMs - nowMs) / MINUTE_MS);
    const speed = speedOf[column] ?? 0;
    const key = `${minute} ${speed}`;
    const group = known.get(key) ?? groups.length;
    if (group === groups.length) {
      known.set(key, group);
      const latestMs = nowMs + minute * MINUTE_MS;
      groups.push({ earliestMs: Math.max(nowMs, latestMs - MINUTE_MS), latestMs, speed });
    }
    return group;
  });
  return { groups, groupOf };
}
