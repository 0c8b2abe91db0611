import { bundleInSequence, type Bundle } from "./bundle.ts";
import { combine } from "./combine.ts";
import { commit } from "./commit.ts";
import { courierColumnsOf } from "./courier-columns.ts";
import { match, matchFrom, type Matching, type MatchingProblem } from "./matching/match.ts";
import type { Deadline, DispatchParameters, DispatchResult, DispatchSnapshot } from "./model.ts";
import { poolOf, type Pool } from "./pool.ts";
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
  const { bundles, matching } = bestMatching(pool, parameters, deadline);
  return {
    ...commit(snapshot, parameters, { pool, bundles, matching }),
    degraded: !matching.isComplete,
    gap: matching.gap,
  };
}

/** Of single orders first; then of bundles, if that costs less as a whole. */
function bestMatching(
  pool: Pool,
  parameters: DispatchParameters,
  deadline: Deadline,
): { readonly bundles: readonly Bundle[]; readonly matching: Matching } {
  const columns = courierColumnsOf(pool);
  const singles = pool.orders.map((order) => bundleInSequence([order]));
  const problem: MatchingProblem = matchingProblemOf(pool, columns, singles, parameters);
  const matching = match(problem, deadline);
  const alone = { bundles: singles, matching };
  if (parameters.bundleOrdersMax === 1 || !matching.isComplete) return alone;
  const bundles = combine({ pool, parameters }, singles, problem, matching, deadline);
  if (bundles.length === singles.length) return alone;
  const places = new Map(singles.map((bundle, row) => [bundle, row]));
  const was = Int32Array.from(bundles, (bundle) => places.get(bundle) ?? -1);
  const problemOfAll = matchingProblemOf(pool, columns, bundles, parameters);
  const together = matchFrom(matching, problemOfAll, was, deadline);
  return together.cost < matching.cost ? { bundles, matching: together } : alone;
}
