import { Candidates } from "./candidates.ts";
import { rankOf } from "./rank.ts";
import { solve } from "./solve.ts";

/**
 * What is to be matched: rows (an order, or orders that go together) with columns (couriers), at the least total cost. A row
 * that gets no column stays alone, at a cost of its own. Costs are whole numbers between -1e11 and 1e11, deciseconds by
 * convention; in that range sums of thousands of them are exact.
 */
export type MatchingProblem = {
  readonly rows: MatchingRows;
  readonly columns: MatchingColumns;
  /** What matching the two costs; Infinity when they must not be matched. Pure, and fast: it is asked very often. */
  readonly pairCost: (row: number, column: number) => number;
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
};

/** Asked now and then during the work; a count instead of a clock makes an unfinished answer replayable. */
export type Deadline = { hasPassed(): boolean };

/** Up to here every pair is looked at and nothing is left to prove. */
const DENSE_PAIRS_MAX = 400_000;
const NEAREST_COLUMNS = 20;

/**
 * The matching of least cost, of all pairs. Once the deadline has passed, the best one known, with a proof of how far it may
 * be from the best there is; no row is alone in it while a column is free that would cost it less.
 * A pure function, and the same whatever the order of the rows and of the columns.
 */
export function match(problem: MatchingProblem, deadline: Deadline): Matching {
  const { rows, columns } = problem;
  const rowAt = rankOf(rows.ids);
  const columnAt = rankOf(columns.ids);
  // The costliest to leave alone first: a deadline costs those at the end.
  rowAt.sort((a, b) => (rows.alone[b] ?? 0) - (rows.alone[a] ?? 0));
  const candidates = new Candidates({
    rows: rowAt.length,
    columns: columnAt.length,
    pairCost: (row, column) => problem.pairCost(rowAt[row] ?? 0, columnAt[column] ?? 0),
    alone: (row) => rows.alone[rowAt[row] ?? 0] ?? 0,
    nearest: rowAt.length * columnAt.length <= DENSE_PAIRS_MAX ? columnAt.length : NEAREST_COLUMNS,
  });
  const solved = solve(candidates, deadline);
  const columnOf = new Int32Array(rowAt.length).fill(-1);
  const runnerUpOf = new Int32Array(rowAt.length).fill(-1);
  solved.columnOf.forEach((column, row) => {
    columnOf[rowAt[row] ?? 0] = columnAt[column] ?? -1;
    runnerUpOf[rowAt[row] ?? 0] = columnAt[candidates.cheapestBut(row, column)] ?? -1;
  });
  const price = new Float64Array(columnAt.length);
  solved.price.forEach((value, column) => {
    price[columnAt[column] ?? 0] = value;
  });
  const cost = costOf(problem, columnOf);
  return {
    columnOf,
    runnerUpOf,
    price,
    cost,
    gap: solved.isComplete ? 0 : cost - candidates.leastCost(solved.price),
    isComplete: solved.isComplete,
  };
}

function costOf({ rows, pairCost }: MatchingProblem, columnOf: Int32Array): number {
  return columnOf.reduce(
    (sum, column, row) => sum + (column === -1 ? (rows.alone[row] ?? 0) : pairCost(row, column)),
    0,
  );
}
