import { rankOf } from "./rank.ts";
import { select } from "./select.ts";
import { solve, solveFrom, type Solution, type Workings } from "./solve.ts";

/**
 * What is to be matched: rows (an order, or orders that go together) with columns (couriers), at the least total cost. A row
 * that gets no column stays alone, at a cost of its own. Costs are whole numbers between -1e11 and 1e11, deciseconds by
 * convention; in that range sums of thousands of them are exact.
 */
export type MatchingProblem = {
  readonly rows: MatchingRows;
  readonly columns: MatchingColumns;
  /** What matching the two costs; Infinity when they must not be matched. Pure, and fast. */
  readonly pairCost: (row: number, column: number) => number;
  /** The same of the row and each of the first `count` of `columns`, into `costs`. */
  readonly pairCosts: (row: number, columns: Int32Array, count: number, costs: Float64Array) => void;
  /**
   * No column of the group that is this many metres or more from the row costs less than this. Never falls as the distance
   * grows; Infinity when none of them may be matched. The closer it is to what they do cost, the fewer are looked at.
   */
  readonly pairCostAtLeast: (row: number, group: number, meters: number) => number;
};

/** Lists of one length. `x` and `y` are metres on one plane for rows and columns. */
export type MatchingRows = {
  /** Different from each other. Among equal answers a hash of the ids decides, never their place in the lists. */
  readonly ids: readonly string[];
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** What it costs to leave the row without a column. */
  readonly alone: Float64Array;
};

/** Lists of one length. */
export type MatchingColumns = {
  readonly ids: readonly string[];
  readonly x: Float64Array;
  readonly y: Float64Array;
  /**
   * Columns that are alike but for their place, such as all that start within one minute on one kind of vehicle: 0, 1, 2 ….
   * A few dozen groups at most, each is searched by itself.
   */
  readonly group: Int32Array;
};

export type Matching = {
  /** For each row its column, or -1. */
  readonly columnOf: Int32Array;
  /** For each row the cheapest of all columns but its own, whoever has it, or -1. */
  readonly runnerUpOf: Int32Array;
  /**
   * For each column, what one more row that takes it would cost the others, negated: never positive. In a complete matching
   * a further row is worth having only at a column where its `pairCost - price` is below what it is worth.
   */
  readonly price: Float64Array;
  /** The sum over all rows. */
  readonly cost: number;
  /** Proven: no matching costs less than `cost - gap`. 0 when it is complete. */
  readonly gap: number;
  /** False when the deadline came before the matching was proven to be the best. */
  readonly isComplete: boolean;
  /** For `matchFrom`. */
  readonly ranked: Ranked;
};

/** How the matching was found: rows and columns in the order of their ranks. */
export type Ranked = {
  readonly rowAt: Int32Array;
  readonly columnAt: Int32Array;
  readonly workings: Workings;
};

/** Asked now and then during the work; a count instead of a clock makes an unfinished answer replayable. */
export type Deadline = { hasPassed(): boolean };

/**
 * The matching of least cost, of all pairs. Once the deadline has passed, the best one known, with a proof of how far it may
 * be from the best there is; no row is alone in it while a column is free that would cost it less.
 * A pure function, and the same whatever the order of the rows and of the columns.
 */
export function match(problem: MatchingProblem, deadline: Deadline): Matching {
  const rowAt = rankOf(problem.rows.ids);
  const columnAt = rankOf(problem.columns.ids);
  return matchingOf(problem, rowAt, columnAt, solve(select(problem, rowAt, columnAt), deadline));
}

/**
 * The same, sooner, from a complete matching with the same columns: the work goes on where that ended. `was` is for each row
 * which one of that problem it was, at the same costs, or -1.
 */
export function matchFrom(
  { ranked: { rowAt: rowWasAt, columnAt, workings } }: Matching,
  problem: MatchingProblem,
  was: Int32Array,
  deadline: Deadline,
): Matching {
  const rowAt = rankOf(problem.rows.ids);
  const rankWas = new Int32Array(rowWasAt.length);
  rowWasAt.forEach((row, ranked) => {
    rankWas[row] = ranked;
  });
  const before = { workings, was: rowAt.map((row) => rankWas[was[row] ?? -1] ?? -1) };
  const solution = solveFrom(before, select(problem, rowAt, columnAt), deadline);
  return matchingOf(problem, rowAt, columnAt, solution);
}

function matchingOf(
  problem: MatchingProblem,
  rowAt: Int32Array,
  columnAt: Int32Array,
  solution: Solution,
): Matching {
  const columnOf = new Int32Array(rowAt.length);
  const runnerUpOf = new Int32Array(rowAt.length);
  rowAt.forEach((row, ranked) => {
    columnOf[row] = columnAt[solution.columnOf[ranked] ?? -1] ?? -1;
    runnerUpOf[row] = columnAt[solution.runnerUpOf[ranked] ?? -1] ?? -1;
  });
  const price = new Float64Array(columnAt.length);
  columnAt.forEach((column, ranked) => {
    price[column] = 0 - (solution.price[ranked] ?? 0);
  });
  const cost = costOf(problem, columnOf);
  const { isComplete, leastCost, workings } = solution;
  const gap = isComplete ? 0 : cost - leastCost;
  return {
    columnOf,
    runnerUpOf,
    price,
    cost,
    gap,
    isComplete,
    ranked: { rowAt, columnAt, workings },
  };
}

function costOf({ rows, pairCost }: MatchingProblem, columnOf: Int32Array): number {
  return columnOf.reduce(
    (sum, column, row) => sum + (column === -1 ? (rows.alone[row] ?? 0) : pairCost(row, column)),
    0,
  );
}
