import { munkres } from "munkres";
import { bundleInSequence } from "../../../worker/dispatch/bundle.ts";
import { courierColumnsOf } from "../../../worker/dispatch/courier-columns.ts";
import { DEFAULT_PARAMETERS } from "../../../worker/dispatch/default-parameters.ts";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import { match, type Deadline, type MatchingProblem } from "../../../worker/dispatch/matching/match.ts";
import type { DispatchSnapshot } from "../../../worker/dispatch/model.ts";
import { poolOf } from "../../../worker/dispatch/pool.ts";
import { matchingProblemOf } from "../../../worker/dispatch/problem.ts";

/** What one run took and how good it was. Costs are in deciseconds; undefined where a method does not tell. */
export type Run = {
  readonly tookMs: number;
  readonly cost: number | undefined;
  /** Proven by the method itself. */
  readonly gap: number | undefined;
  readonly isDegraded: boolean;
};

/** What the matching is asked about a snapshot whose every order goes by itself. */
export function problemOf(snapshot: DispatchSnapshot): MatchingProblem {
  const pool = poolOf(snapshot, DEFAULT_PARAMETERS);
  const singles = pool.orders.map((order) => bundleInSequence([order]));
  return matchingProblemOf(pool, courierColumnsOf(pool), singles, DEFAULT_PARAMETERS);
}

/** From the snapshot to decisions and explanations, as a worker runs it. */
export function runDispatch(snapshot: DispatchSnapshot, budgetMs: number): Run {
  const startedMs = performance.now();
  const { degraded, gap } = dispatch(snapshot, DEFAULT_PARAMETERS, deadlineAfter(budgetMs));
  return { tookMs: performance.now() - startedMs, cost: undefined, gap, isDegraded: degraded };
}

export function runMatching(problem: MatchingProblem, budgetMs: number): Run {
  const startedMs = performance.now();
  const { cost, gap, isComplete } = match(problem, deadlineAfter(budgetMs));
  return { tookMs: performance.now() - startedMs, cost, gap, isDegraded: !isComplete };
}

/** One after the other, each row takes the nearest column that is left and may be matched with it. */
export function runNearest({ rows, columns, pairCost }: MatchingProblem): Run {
  const startedMs = performance.now();
  const left = new Set(columns.ids.keys());
  let cost = 0;
  rows.alone.forEach((alone, row) => {
    let nearest = -1;
    let nearestMeters = Infinity;
    for (const column of left) {
      const east = (columns.x[column] ?? 0) - (rows.x[row] ?? 0);
      const north = (columns.y[column] ?? 0) - (rows.y[row] ?? 0);
      const meters = Math.sqrt(east * east + north * north);
      if (meters >= nearestMeters || pairCost(row, column) === Infinity) continue;
      nearest = column;
      nearestMeters = meters;
    }
    left.delete(nearest);
    cost += nearest === -1 ? alone : pairCost(row, nearest);
  });
  return { tookMs: performance.now() - startedMs, cost, gap: undefined, isDegraded: false };
}

/**
 * The independent dense solver, on a matrix of all pairs in which a row that gets a column at the cost of staying alone stays
 * alone. With as many columns as rows, or more, nobody has to.
 */
export function runOracle({ rows, columns, pairCost }: MatchingProblem): Run {
  const startedMs = performance.now();
  const width = Math.max(rows.ids.length, columns.ids.length);
  const matrix = Array.from(rows.alone, (alone, row) =>
    Array.from({ length: width }, (_, column) =>
      column < columns.ids.length ? Math.min(alone, pairCost(row, column)) : alone,
    ),
  );
  const cost = munkres(matrix).reduce((sum, [row, column]) => sum + (matrix[row]?.[column] ?? 0), 0);
  return { tookMs: performance.now() - startedMs, cost, gap: 0, isDegraded: false };
}

function deadlineAfter(budgetMs: number): Deadline {
  const endsMs = performance.now() + budgetMs;
  return { hasPassed: () => performance.now() >= endsMs };
}
