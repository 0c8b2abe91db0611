import { bundleInSequence } from "./bundle.ts";
import { settle, type Match } from "./commit.ts";
import { compareText } from "./matching/rank.ts";
import type { Deadline, DispatchParameters, DispatchResult, DispatchSnapshot } from "./model.ts";
import { poolOf, type PooledCourier } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { onTheWayMsOf } from "./trip.ts";

/**
 * The dispatcher to fall back on: the oldest order first, each gets the nearest courier who has nothing to do. It knows
 * the same hard rules and nothing else: no price, no bundle, no waiting, no second thoughts.
 */
export function dispatchGreedily(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  deadline: Deadline,
): DispatchResult {
  const pool = poolOf(snapshot, { ...parameters, reassignmentsMax: 0 });
  const free = new Set(pool.couriers.filter(({ startsAtMs }) => startsAtMs <= pool.nowMs));
  const oldestFirst = pool.orders.toSorted((a, b) => a.placedAtMs - b.placedAtMs || compareText(a.id, b.id));
  let degraded = false;
  const matches = oldestFirst.map((order): Match => {
    const bundle = bundleInSequence([order]);
    degraded ||= deadline.hasPassed();
    const { courier, runnerUp } = degraded
      ? { courier: undefined, runnerUp: undefined }
      : nearestTwo(bundle, free, parameters);
    if (courier !== undefined) free.delete(courier);
    return { bundle, courier, runnerUp };
  });
  const settled = settle(snapshot, parameters, pool, matches, () => undefined);
  return { ...settled, degraded, gap: undefined };
}

function nearestTwo(
  bundle: Match["bundle"],
  couriers: ReadonlySet<PooledCourier>,
  parameters: DispatchParameters,
): Pick<Match, "courier" | "runnerUp"> {
  let courier: PooledCourier | undefined;
  let runnerUp: PooledCourier | undefined;
  let nearestMs = Infinity;
  let secondMs = Infinity;
  for (const candidate of couriers) {
    const onTheWayMs = onTheWayMsOf(bundle, candidate);
    const isFirst = onTheWayMs < nearestMs || isTie(onTheWayMs, nearestMs, candidate, courier);
    const isSecond = onTheWayMs < secondMs || isTie(onTheWayMs, secondMs, candidate, runnerUp);
    if (!isFirst && !isSecond) continue;
    if (refusalOf(bundle, candidate, onTheWayMs, parameters) !== undefined) continue;
    if (isFirst) {
      runnerUp = courier;
      secondMs = nearestMs;
      courier = candidate;
      nearestMs = onTheWayMs;
    } else {
      runnerUp = candidate;
      secondMs = onTheWayMs;
    }
  }
  return { courier, runnerUp };
}

/** Among equals the smaller id, whatever the order of the list. */
function isTie(
  onTheWayMs: number,
  bestMs: number,
  candidate: PooledCourier,
  best: PooledCourier | undefined,
): boolean {
  return best !== undefined && onTheWayMs === bestMs && compareText(candidate.id, best.id) < 0;
}
