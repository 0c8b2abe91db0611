import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { munkres } from "munkres";
import { Candidates } from "../../../worker/dispatch/candidates.ts";
import { matchAtMinimumCost, type Arcs, type Matching } from "../../../worker/dispatch/matching.ts";
import type { Deadline } from "../../../worker/dispatch/model.ts";
import { solve } from "../../../worker/dispatch/solve.ts";

const NEVER = { hasPassed: () => false };

/** A dense problem; Infinity where a pair must not be matched. */
type Problem = { readonly pairs: readonly (readonly number[])[]; readonly alone: readonly number[] };

const problems = fc
  .record({ rows: fc.integer({ min: 0, max: 14 }), columns: fc.integer({ min: 0, max: 14 }) })
  .chain(({ rows, columns }) => {
    const pair = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    return fc.record({
      pairs: fc.array(fc.array(pair, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
      alone: fc.array(fc.integer({ min: 0, max: 120 }), { minLength: rows, maxLength: rows }),
    });
  });

function columnsOf(problem: Problem): number {
  return problem.pairs[0]?.length ?? 0;
}

function arcsOf(problem: Problem): Arcs {
  const allowed = problem.pairs.map((row) =>
    row.map((cost, column) => ({ cost, column })).filter(({ cost }) => cost < Infinity),
  );
  return {
    columns: columnsOf(problem),
    alone: problem.alone,
    targets: allowed.map((row) => row.map(({ column }) => column)),
    costs: allowed.map((row) => row.map(({ cost }) => cost)),
  };
}

/** The cost of a matching; Infinity when it breaks a rule. */
function costOf(problem: Problem, matching: Matching): number {
  const taken = [...matching.columnOf].filter((column) => column !== -1);
  if (new Set(taken).size < taken.length) return Infinity;
  return problem.alone.reduce((sum, alone, row) => {
    const column = matching.columnOf[row]!;
    return sum + (column === -1 ? alone : problem.pairs[row]![column]!);
  }, 0);
}

/** The least possible cost, from an independent dense solver that is given a column of its own for every row. */
function leastCost(problem: Problem): number {
  if (problem.alone.length === 0) return 0;
  const forbidden = 1_000_000;
  const matrix = problem.pairs.map((row, index) => [
    ...row.map((cost) => Math.min(cost, forbidden)),
    ...problem.alone.map((alone, other) => (other === index ? alone : forbidden)),
  ]);
  return munkres(matrix).reduce((sum, [row, column]) => sum + matrix[row]![column]!, 0);
}

function solveWithNearest(problem: Problem, nearest: number, deadline: Deadline): Matching {
  const candidates = new Candidates({
    orders: problem.alone.length,
    couriers: columnsOf(problem),
    nearest,
    costs: {
      pair: (order, courier) => problem.pairs[order]![courier]!,
      unassigned: (order) => problem.alone[order]!,
    },
  });
  return solve(candidates, deadline);
}

describe("matching at minimum cost", () => {
  test("no other solver finds a cheaper one", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const matching = matchAtMinimumCost(arcsOf(problem), NEVER);
        expect(matching.isComplete).toBe(true);
        expect(costOf(problem, matching)).toBe(leastCost(problem));
      }),
      { numRuns: 500 },
    );
  });

  test("its prices prove it: no row could do better with any of its arcs", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const matching = matchAtMinimumCost(arcsOf(problem), NEVER);
        problem.alone.forEach((alone, row) => {
          const column = matching.columnOf[row]!;
          const pays = column === -1 ? alone : problem.pairs[row]![column]! - matching.price[column]!;
          expect(pays).toBeLessThanOrEqual(alone);
          problem.pairs[row]!.forEach((cost, other) => {
            expect(pays).toBeLessThanOrEqual(cost - matching.price[other]!);
          });
        });
        expect(matching.price.every((price) => price <= 0)).toBe(true);
      }),
    );
  });

  test("whenever the deadline comes, the matching keeps the rules and costs no more than leaving everyone alone", () => {
    fc.assert(
      fc.property(problems, fc.nat({ max: 14 }), (problem, checks) => {
        let left = checks;
        const matching = matchAtMinimumCost(arcsOf(problem), { hasPassed: () => left-- <= 0 });
        expect(matching.isComplete).toBe(checks >= problem.alone.length);
        const allAlone = problem.alone.reduce((sum, alone) => sum + alone, 0);
        expect(costOf(problem, matching)).toBeLessThanOrEqual(allAlone);
      }),
    );
  });
});

describe("matching over a few nearest columns", () => {
  test("costs no more than over all of them", () => {
    fc.assert(
      fc.property(problems, fc.integer({ min: 1, max: 4 }), (problem, nearest) => {
        expect(costOf(problem, solveWithNearest(problem, nearest, NEVER))).toBe(leastCost(problem));
      }),
      { numRuns: 500 },
    );
  });

  test("gives every row its own, though all see the same nearest", () => {
    const pairs = Array.from({ length: 8 }, () => Array.from({ length: 8 }, (_, column) => column));
    const matching = solveWithNearest({ pairs, alone: pairs.map(() => 1_000) }, 1, NEVER);
    expect(new Set(matching.columnOf)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
  });

  test("whenever the deadline comes, no row is alone while a column that it would rather have is left", () => {
    let cutShort = 0;
    fc.assert(
      fc.property(
        problems,
        fc.integer({ min: 1, max: 4 }),
        fc.nat({ max: 60 }),
        (problem, nearest, checks) => {
          let left = checks;
          const matching = solveWithNearest(problem, nearest, { hasPassed: () => left-- <= 0 });
          const cost = costOf(problem, matching);
          expect(cost).toBeLessThan(Infinity);
          if (matching.isComplete) expect(cost).toBe(leastCost(problem));
          else cutShort++;
          const taken = new Set(matching.columnOf);
          problem.alone.forEach((alone, row) => {
            if (matching.columnOf[row] !== -1) return;
            const free = problem.pairs[row]!.filter((_, column) => !taken.has(column));
            expect(Math.min(alone, ...free)).toBe(alone);
          });
        },
      ),
      { numRuns: 500 },
    );
    expect(cutShort).toBeGreaterThan(20);
  });
});
