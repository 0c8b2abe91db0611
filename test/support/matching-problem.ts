import * as fc from "fast-check";
import { munkres } from "munkres";
import type { Matching, MatchingProblem } from "../../worker/dispatch/matching/match.ts";

/** Small matching problems with every pair's cost written down, and what can be said about them without our own code. */

export type DenseProblem = {
  /** For each row the cost of each column; Infinity where the two must not be matched. */
  readonly pairs: readonly (readonly number[])[];
  readonly alone: readonly number[];
  readonly rowPlaces: readonly Place[];
  readonly columnPlaces: readonly Place[];
  readonly groups: readonly number[];
};

type Place = { readonly x: number; readonly y: number };

const place = fc.record({ x: fc.integer({ min: -900, max: 900 }), y: fc.integer({ min: -900, max: 900 }) });

/** Costs that have nothing to do with the places, with many ties; and places of which many are the same. */
export function denseProblems(sizeMax: number): fc.Arbitrary<DenseProblem> {
  const size = fc.integer({ min: 0, max: sizeMax });
  return fc.record({ rows: size, columns: size }).chain(({ rows, columns }) => {
    const each = <Value>(count: number, value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
      fc.array(value, { minLength: count, maxLength: count });
    const cost = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: -5, max: 100_000_000_000 }) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    return fc.record({
      pairs: each(rows, each(columns, cost)),
      alone: each(rows, fc.oneof(fc.integer({ min: 0, max: 120 }), fc.constant(90_000_000_000))),
      rowPlaces: each(rows, place),
      columnPlaces: each(columns, place),
      groups: each(columns, fc.integer({ min: 0, max: 3 })),
    });
  });
}

/** The bound it gives is the tightest there is: the least cost among the columns at that distance. */
export function problemOf(dense: DenseProblem): MatchingProblem {
  const { pairs, alone, rowPlaces, columnPlaces, groups } = dense;
  return {
    rows: {
      ids: alone.map((_, row) => `row-${row}`),
      x: Float64Array.from(rowPlaces, ({ x }) => x),
      y: Float64Array.from(rowPlaces, ({ y }) => y),
      alone: Float64Array.from(alone),
    },
    columns: {
      ids: groups.map((_, column) => `column-${column}`),
      x: Float64Array.from(columnPlaces, ({ x }) => x),
      y: Float64Array.from(columnPlaces, ({ y }) => y),
      group: Int32Array.from(groups),
    },
    pairCost: (row, column) => pairs[row]![column]!,
    pairCosts: (row, asked, count, costs) => {
      for (let index = 0; index < count; index++) costs[index] = pairs[row]![asked[index]!]!;
    },
    pairCostAtLeast: (row, group, meters) => {
      const { x, y } = rowPlaces[row]!;
      return Math.min(
        Infinity,
        ...pairs[row]!.filter((_, column) => {
          const { x: east, y: north } = columnPlaces[column]!;
          return groups[column] === group && Math.hypot(east - x, north - y) >= meters - 1e-6;
        }),
      );
    },
  };
}

/** The cost of a matching by these pairs; Infinity when it breaks a rule. */
export function costIn(dense: DenseProblem, { columnOf }: Pick<Matching, "columnOf">): number {
  const taken = [...columnOf].filter((column) => column !== -1);
  if (new Set(taken).size < taken.length || columnOf.length !== dense.alone.length) return Infinity;
  return dense.alone.reduce((sum, alone, row) => {
    const column = columnOf[row]!;
    return sum + (column === -1 ? alone : dense.pairs[row]![column]!);
  }, 0);
}

/** The least possible cost, from an independent dense solver that is given a column of its own for every row. */
export function leastCostOf({ pairs, alone }: Pick<DenseProblem, "pairs" | "alone">): number {
  if (alone.length === 0) return 0;
  const forbidden = 100_000_000_000_000;
  const matrix = pairs.map((row, index) => [
    ...row.map((cost) => Math.min(cost, forbidden)),
    ...alone.map((cost, other) => (other === index ? cost : forbidden)),
  ]);
  return munkres(matrix).reduce((sum, [row, column]) => sum + matrix[row]![column]!, 0);
}
