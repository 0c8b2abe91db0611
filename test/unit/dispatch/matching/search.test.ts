import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { ColumnSearch } from "../../../../worker/dispatch/matching/search.ts";
import { denseProblems, problemOf } from "../../../support/matching-problem.ts";

test("a search finds the columns that are cheapest with their prices, and what all others cost at least", () => {
  const questions = denseProblems(40)
    .filter(({ alone, groups }) => alone.length > 0 && groups.length > 0)
    .chain((dense) =>
      fc.record({
        dense: fc.constant(dense),
        prices: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 })), {
          minLength: dense.groups.length,
          maxLength: dense.groups.length,
        }),
        count: fc.integer({ min: 1, max: 20 }),
        below: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(Infinity)),
        known: fc.subarray([...dense.groups.keys()]),
        seenPairsMax: fc.constantFrom(undefined, 0),
      }),
    );
  fc.assert(
    fc.property(questions, ({ dense, prices, count, below, known, seenPairsMax }) => {
      const search = new ColumnSearch(problemOf(dense), undefined, seenPairsMax);
      search.notePrices(Float64Array.from(prices));
      dense.pairs.forEach((costs, row) => {
        const unknown = [...costs.keys()].filter((column) => !known.includes(column));
        const priced = (column: number): number => costs[column]! + prices[column]!;
        const cheapest = unknown.map(priced).filter((cost) => cost < below);
        cheapest.sort((a, b) => a - b);
        // Asked again, it begins with what it has seen, or had to forget.
        for (let time = 0; time < 2; time++) {
          const rest = search.findCheapest(row, count, below, Int32Array.from(known));
          const { found } = search;
          const columns = [...found.column.subarray(0, found.count)];
          expect(columns.map(priced).toSorted((a, b) => a - b)).toEqual(cheapest.slice(0, count));
          expect(columns.map((column) => costs[column])).toEqual([...found.cost.subarray(0, found.count)]);
          const least = search.leastPriced(row, Int32Array.from([...known, ...columns]));
          if (seenPairsMax === undefined) expect(least).toBeGreaterThanOrEqual(rest);
          const others = unknown.filter((column) => !columns.includes(column)).map(priced);
          expect(least).toBeLessThanOrEqual(Math.min(Infinity, ...others));
          expect(rest).toBeGreaterThanOrEqual(Math.min(below, cheapest.slice(0, count).at(-1) ?? below));
        }
      });
    }),
    { numRuns: 300 },
  );
});

test("a search asks for the cost of no pair twice, whatever it is asked and however prices change", () => {
  const dense = fc.sample(denseProblems(40), { seed: 1, numRuns: 100 });
  let asked = 0;
  let askedAgain = 0;
  for (const one of dense) {
    const problem = problemOf(one);
    const pairs = new Set<string>();
    const search = new ColumnSearch({
      ...problem,
      pairCosts: (row, columns, count, costs) => {
        for (const column of columns.subarray(0, count)) {
          const pair = `${row} ${column}`;
          if (pairs.has(pair)) askedAgain++;
          pairs.add(pair);
        }
        problem.pairCosts(row, columns, count, costs);
      },
    });
    for (const price of [0, 30, 5]) {
      search.notePrices(
        new Float64Array(one.groups.length).map((_, column) => (column % 3 === 0 ? price : 0)),
      );
      for (let row = 0; row < one.alone.length; row++) {
        for (const count of [1, 4]) search.findCheapest(row, count, Infinity, new Int32Array(0));
      }
    }
    asked += pairs.size;
  }
  expect(askedAgain).toBe(0);
  expect(asked).toBeGreaterThan(1_000);
});
