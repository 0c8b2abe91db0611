import type { Bundle } from "./bundle.ts";
import { explainMatched, explainUnlooked, explainUnmatched } from "./explain.ts";
import { whyHeld } from "./hold.ts";
import type { Matching } from "./matching/match.ts";
import { compareText } from "./matching/rank.ts";
import type {
  Decision,
  DispatchParameters,
  DispatchResult,
  DispatchSnapshot,
  Explanation,
  HoldReason,
} from "./model.ts";
import type { Pool, PooledCourier } from "./pool.ts";

/** One row of a matching: the bundle, the courier whom it has in it, and who would be the next best. */
export type Match = {
  readonly bundle: Bundle;
  readonly courier: PooledCourier | undefined;
  readonly runnerUp: PooledCourier | undefined;
};

/** What of a matching is committed now, and what became of every order of the snapshot. */
export function commit(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  answer: { readonly pool: Pool; readonly bundles: readonly Bundle[]; readonly matching: Matching },
): Pick<DispatchResult, "decisions" | "explanations"> {
  const { pool, bundles, matching } = answer;
  const matches = bundles.map((bundle, row) => ({
    bundle,
    courier: pool.couriers[matching.columnOf[row] ?? -1],
    runnerUp: pool.couriers[matching.runnerUpOf[row] ?? -1],
  }));
  return settle(snapshot, parameters, pool, matches, whyHeld);
}

/**
 * Turns matches into decisions and explanations. `hold` says which matches can wait. A courier who has an order that could be
 * given back takes another one only if the answer does give it to somebody else.
 */
export function settle(
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  pool: Pool,
  matches: readonly Match[],
  hold: typeof whyHeld,
): Pick<DispatchResult, "decisions" | "explanations"> {
  const reasons = new Map<Match, HoldReason | "kept">();
  const takenFrom = new Set<string>();
  for (const match of matches) {
    const { bundle, courier } = match;
    if (courier === undefined) continue;
    const holder = bundle.orders[0]?.holder;
    const because = holder === courier ? "kept" : hold(bundle, courier, pool.nowMs, parameters);
    if (because !== undefined) reasons.set(match, because);
    else if (holder !== undefined) takenFrom.add(bundle.id);
  }
  const committed = withoutDoubleLoads(
    matches.filter((match) => match.courier !== undefined && !reasons.has(match)),
    takenFrom,
  );
  const decisions: Decision[] = [];
  const explanations: Explanation[] = explainUnlooked(snapshot, pool, parameters);
  for (const match of matches) {
    const { bundle, courier } = match;
    const isCommitted = committed.has(match);
    if (courier === undefined) explanations.push(...explainUnmatched(bundle, pool, parameters));
    else {
      const because = isCommitted ? undefined : (reasons.get(match) ?? "courier-busy");
      explanations.push(...explainMatched({ ...match, courier }, because, pool, parameters));
    }
    if (courier === undefined || !isCommitted) continue;
    bundle.orders.forEach((order, index) => {
      decisions.push({ order: order.id, courier: courier.id, stop: index + 1, from: order.holder?.id });
    });
  }
  return {
    decisions: decisions.sort((a, b) => compareText(a.order, b.order)),
    explanations: explanations.sort((a, b) => compareText(a.order, b.order)),
  };
}

/** `takenFrom` are the orders that are taken from their courier; one that is dropped may drop others with it. */
function withoutDoubleLoads(matches: readonly Match[], takenFrom: Set<string>): ReadonlySet<Match> {
  const committed = new Set(matches);
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const match of committed) {
      const givesBack = match.courier?.givesBack;
      if (givesBack === undefined || takenFrom.has(givesBack)) continue;
      committed.delete(match);
      takenFrom.delete(match.bundle.id);
      isStable = false;
    }
  }
  return committed;
}
