import type { MatchingProblem } from "./match.ts";

/** The problem of the rows and columns that are at `rowAt` and `columnAt`, all or some, in their order. */
export function select(problem: MatchingProblem, rowAt: Int32Array, columnAt: Int32Array): MatchingProblem {
  const { rows, columns, pairCost, pairCosts, pairCostAtLeast } = problem;
  const asked = new Int32Array(columnAt.length);
  return {
    rows: {
      ids: pick(rows.ids, rowAt),
      x: numbersAt(rows.x, rowAt),
      y: numbersAt(rows.y, rowAt),
      alone: numbersAt(rows.alone, rowAt),
    },
    columns: {
      ids: pick(columns.ids, columnAt),
      x: numbersAt(columns.x, columnAt),
      y: numbersAt(columns.y, columnAt),
      group: columnAt.map((column) => columns.group[column] ?? 0),
    },
    pairCost: (row, column) => pairCost(rowAt[row] ?? 0, columnAt[column] ?? 0),
    pairCosts: (row, selected, count, costs) => {
      for (let index = 0; index < count; index++) asked[index] = columnAt[selected[index] ?? 0] ?? 0;
      pairCosts(rowAt[row] ?? 0, asked, count, costs);
    },
    pairCostAtLeast: (row, group, meters) => pairCostAtLeast(rowAt[row] ?? 0, group, meters),
  };
}

function numbersAt(numbers: Float64Array, at: Int32Array): Float64Array {
  const picked = new Float64Array(at.length);
  for (let place = 0; place < at.length; place++) picked[place] = numbers[at[place] ?? 0] ?? 0;
  return picked;
}

function pick(ids: readonly string[], at: Int32Array): string[] {
  return Array.from(at, (index) => ids[index] ?? "");
}
