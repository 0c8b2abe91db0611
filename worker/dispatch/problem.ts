import type { Bundle } from "./bundle.ts";
import { leastCostOf, partsOf, partsOfNobody, sumOf } from "./cost.ts";
import type { MatchingProblem } from "./matching/match.ts";
import type { DispatchParameters } from "./model.ts";
import type { Pool, PooledCourier } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { onTheWayMsOf } from "./trip.ts";

const MINUTE_MS = 60_000;

/** Couriers of one speed who start within the same minute; whoever is free now, together. */
type Group = { readonly earliestMs: number; readonly latestMs: number; readonly metersPerMinute: number };

/** Bundles to match with the couriers of the pool. */
export function matchingProblemOf(
  pool: Pool,
  bundles: readonly Bundle[],
  parameters: DispatchParameters,
): MatchingProblem {
  const { couriers } = pool;
  const { groups, groupOf } = groupsOf(pool);
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
    pairCost(row, column) {
      const bundle = bundles[row];
      const courier = couriers[column];
      return bundle === undefined || courier === undefined ? Infinity : pairCost(bundle, courier, parameters);
    },
    pairCostAtLeast(row, group, meters) {
      const bundle = bundles[row];
      const starts = groups[group];
      if (bundle === undefined || starts === undefined) return Infinity;
      return leastCostOf(bundle, starts, meters, parameters);
    },
  };
}

/** What letting this courier bring this bundle costs; Infinity when he or she must not. */
export function pairCost(bundle: Bundle, courier: PooledCourier, parameters: DispatchParameters): number {
  const onTheWayMs = onTheWayMsOf(bundle, courier);
  if (refusalOf(bundle, courier, onTheWayMs, parameters) !== undefined) return Infinity;
  return sumOf(partsOf(bundle, courier, onTheWayMs, parameters));
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

function groupsOf({ couriers, nowMs }: Pool): {
  readonly groups: readonly Group[];
  readonly groupOf: Int32Array;
} {
  const groups: Group[] = [];
  const known = new Map<string, number>();
  const groupOf = Int32Array.from(couriers, ({ startsAtMs, metersPerMinute }) => {
    const minute = Math.ceil((startsAtMs - nowMs) / MINUTE_MS);
    const key = `${minute} ${metersPerMinute}`;
    const group = known.get(key) ?? groups.length;
    if (group === groups.length) {
      known.set(key, group);
      const latestMs = nowMs + minute * MINUTE_MS;
      groups.push({ earliestMs: Math.max(nowMs, latestMs - MINUTE_MS), latestMs, metersPerMinute });
    }
    return group;
  });
  return { groups, groupOf };
}
