import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  match,
  matchFrom,
  type Deadline,
  type Matching,
} from "../../../../worker/dispatch/matching/match.ts";
import {
  costIn,
  denseProblems,
  leastCostOf,
  problemOf,
  type DenseProblem,
} from "../../../support/matching-problem.ts";

const NEVER: Deadline = { hasPassed: () => false };

function afterChecks(checks: number): Deadline {
  let left = checks;
  return { hasPassed: () => left-- <= 0 };
}

/** All but how it was found. */
function answerOf({
  columnOf,
  runnerUpOf,
  price,
  cost,
  gap,
  isComplete,
}: Matching): Omit<Matching, "ranked"> {
  return { columnOf, runnerUpOf, price, cost, gap, isComplete };
}

/** The same columns with some of the rows. */
function withRows(dense: DenseProblem, rows: readonly number[]): DenseProblem {
  return {
    ...dense,
    pairs: rows.map((row) => dense.pairs[row]!),
    alone: rows.map((row) => dense.alone[row]!),
    rowPlaces: rows.map((row) => dense.rowPlaces[row]!),
  };
}

/** The same problem with rows and columns listed in another order, under the same ids. */
function reorder(
  dense: DenseProblem,
  rowAt: readonly number[],
  columnAt: readonly number[],
): ReturnType<typeof problemOf> {
  const problem = problemOf({
    pairs: rowAt.map((row) => columnAt.map((column) => dense.pairs[row]![column]!)),
    alone: rowAt.map((row) => dense.alone[row]!),
    rowPlaces: rowAt.map((row) => dense.rowPlaces[row]!),
    columnPlaces: columnAt.map((column) => dense.columnPlaces[column]!),
    groups: columnAt.map((column) => dense.groups[column]!),
  });
  return {
    ...problem,
    rows: { ...problem.rows, ids: rowAt.map((row) => `row-${row}`) },
    columns: { ...problem.columns, ids: columnAt.map((column) => `column-${column}`) },
  };
}

describe("the best matching", () => {
  test("costs what an independent dense solver's costs", () => {
    fc.assert(
      fc.property(denseProblems(14), (dense) => {
        const matching = match(problemOf(dense), NEVER);
        expect(matching.isComplete).toBe(true);
        expect(matching.gap).toBe(0);
        expect(costIn(dense, matching)).toBe(leastCostOf(dense));
        expect(matching.cost).toBe(leastCostOf(dense));
      }),
      { numRuns: 1_000 },
    );
  });

  test("of many columns, of which each row is offered only a few at first, costs what the dense solver's costs", () => {
    fc.assert(
      fc.property(denseProblems(70), (dense) => {
        const matching = match(problemOf(dense), NEVER);
        expect(matching.isComplete).toBe(true);
        expect(costIn(dense, matching)).toBe(leastCostOf(dense));
      }),
      { numRuns: 100 },
    );
  });

  test("is found from that of other rows as well as from nothing", () => {
    const changes = denseProblems(40).chain((dense) => {
      const rows = fc.subarray([...dense.alone.keys()]);
      return fc.tuple(fc.constant(dense), rows, rows);
    });
    fc.assert(
      fc.property(changes, ([dense, rowsBefore, rows]) => {
        const before = match(problemOf(withRows(dense, rowsBefore)), NEVER);
        const was = Int32Array.from(rows, (row) => rowsBefore.indexOf(row));
        const problem = withRows(dense, rows);
        const matching = matchFrom(before, problemOf(problem), was, NEVER);
        expect(matching.isComplete).toBe(true);
        expect(costIn(problem, matching)).toBe(leastCostOf(problem));
        expect(matching.cost).toBe(leastCostOf(problem));
        const free = matching.price.filter((_, column) => !matching.columnOf.includes(column));
        expect(free.every((price) => price === 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("is the same, whatever the order of rows and columns", () => {
    const shuffled = denseProblems(12).chain((dense) =>
      fc.tuple(
        fc.constant(dense),
        fc.shuffledSubarray([...dense.alone.keys()], { minLength: dense.alone.length }),
        fc.shuffledSubarray([...dense.groups.keys()], { minLength: dense.groups.length }),
        fc.nat({ max: 40 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([dense, rowAt, columnAt, checks]) => {
        for (const deadline of [() => NEVER, () => afterChecks(checks)]) {
          const matching = match(problemOf(dense), deadline());
          const other = match(reorder(dense, rowAt, columnAt), deadline());
          const restored = (columns: Int32Array): Int32Array => {
            const list = new Int32Array(rowAt.length);
            columns.forEach((column, row) => {
              list[rowAt[row]!] = column === -1 ? -1 : columnAt[column]!;
            });
            return list;
          };
          const price = new Float64Array(columnAt.length);
          other.price.forEach((value, column) => {
            price[columnAt[column]!] = value;
          });
          expect({
            ...answerOf(other),
            columnOf: restored(other.columnOf),
            runnerUpOf: restored(other.runnerUpOf),
            price,
          }).toEqual(answerOf(matching));
        }
      }),
    );
  });

  test("has prices at which no row would rather have another column, and that nobody pays for a free one", () => {
    fc.assert(
      fc.property(denseProblems(12), (dense) => {
        const { columnOf, price } = match(problemOf(dense), NEVER);
        const taken = new Set(columnOf);
        price.forEach((value, column) => {
          expect(value).toBeLessThanOrEqual(0);
          if (!taken.has(column)) expect(value).toBe(0);
        });
        dense.alone.forEach((alone, row) => {
          const column = columnOf[row]!;
          const pays = column === -1 ? alone : dense.pairs[row]![column]! - price[column]!;
          const cheapest = Math.min(alone, ...dense.pairs[row]!.map((cost, other) => cost - price[other]!));
          expect(pays).toBe(cheapest);
        });
      }),
    );
  });

  test("names for every row the cheapest column that it did not get", () => {
    fc.assert(
      fc.property(denseProblems(12), (dense) => {
        const { columnOf, runnerUpOf } = match(problemOf(dense), NEVER);
        dense.pairs.forEach((costs, row) => {
          const others = costs.filter((_, column) => column !== columnOf[row]);
          const cheapest = Math.min(Infinity, ...others);
          const runnerUp = runnerUpOf[row]!;
          expect(runnerUp).not.toBe(runnerUp === -1 ? 0 : columnOf[row]);
          expect(runnerUp === -1 ? Infinity : costs[runnerUp]).toBe(cheapest);
        });
      }),
    );
  });

  test("of no rows is empty, and of no columns leaves all alone", () => {
    const nothing: DenseProblem = { pairs: [], alone: [], rowPlaces: [], columnPlaces: [], groups: [] };
    expect(match(problemOf(nothing), NEVER)).toMatchObject({ cost: 0, isComplete: true });
    const lonely = {
      ...nothing,
      pairs: [[], []],
      alone: [3, 4],
      rowPlaces: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
    };
    const matching = match(problemOf(lonely), NEVER);
    expect([...matching.columnOf]).toEqual([-1, -1]);
    expect(matching.cost).toBe(7);
  });
});

describe("a matching that a deadline cut short", () => {
  /** Returns whether it was. */
  function expectSound(dense: DenseProblem, least: number, checks: number): boolean {
    const matching = match(problemOf(dense), afterChecks(checks));
    const cost = costIn(dense, matching);
    expect(matching.cost).toBe(cost);
    expect(cost - least).toBeLessThanOrEqual(matching.gap);
    const taken = new Set(matching.columnOf);
    dense.alone.forEach((alone, row) => {
      if (matching.columnOf[row] !== -1) return;
      const free = dense.pairs[row]!.filter((_, column) => !taken.has(column));
      expect(Math.min(alone, ...free)).toBe(alone);
    });
    return !matching.isComplete;
  }

  test("keeps the rules, leaves nobody alone for whom a column is free, and is no further from the best than it says", () => {
    let cutShort = 0;
    fc.assert(
      fc.property(denseProblems(14), (dense) => {
        const least = leastCostOf(dense);
        let checks = 0;
        while (expectSound(dense, least, checks)) checks++;
        cutShort += checks;
      }),
      { numRuns: 300 },
    );
    expect(cutShort).toBeGreaterThan(800);
  });

  test("does so too when the deadline comes between what is offered and what is proven", () => {
    let cutShort = 0;
    fc.assert(
      fc.property(denseProblems(60), fc.nat({ max: 60 }), (dense, checks) => {
        if (expectSound(dense, leastCostOf(dense), checks)) cutShort++;
      }),
      { numRuns: 100 },
    );
    expect(cutShort).toBeGreaterThan(30);
  });
});
