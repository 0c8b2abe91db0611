import { expect, test } from "@jest/globals";
import { INSTANCES, nameOf, snapshotOf } from "../../bench/dispatch/instances.ts";
import { problemOf, runMatching, runNearest, runOracle, type Run } from "../../bench/dispatch/methods.ts";
import { formatTable, missedTargets, type Measured } from "../../bench/dispatch/report.ts";

const run = (tookMs: number, rest: Partial<Run> = {}): Run => ({
  tookMs,
  cost: 1_000,
  gap: 0,
  isDegraded: false,
  ...rest,
});

const MEASURED: Measured = {
  instance: "2x4 tight",
  seeds: [1, 2],
  dispatch: [run(30), run(10)],
  matching: [run(5), run(7, { cost: 1_010, gap: 10, isDegraded: true })],
  nearest: [run(1, { cost: 1_500 }), run(1, { cost: 1_212 })],
  oracle: [run(90), run(80)],
};

test("a line of the table tells times, the share that was degraded, and the worst gaps", () => {
  expect(formatTable([MEASURED]).split("\n")[2]).toBe(
    "| 2x4 tight | 10 | 30 | 0 % | 5 | 7 | 50 % | 0.99 % | 1.00 % | 80 | 50 % |",
  );
});

test("a target is missed by what is slower or further from the best than promised", () => {
  const targets = [
    { instance: "2x4 tight", of: "dispatch", p99Ms: 29 },
    { instance: "2x4 tight", of: "matching", p99Ms: 7, provenGapMax: 0.005 },
    { instance: "not measured", of: "matching", p99Ms: 0 },
  ] as const;
  expect(missedTargets([MEASURED], targets)).toEqual([
    "2x4 tight: p99 of the dispatch is 30 ms, not 29 ms",
    "2x4 tight: proven gap of the matching is 0.99 %, not 0.50 %",
  ]);
});

test("on a measured city the matching costs what the dense solver's does, and less than the nearest couriers", () => {
  const [instance] = INSTANCES;
  const problem = problemOf(snapshotOf(instance!, 1));
  const matching = runMatching(problem, Infinity);
  expect(matching.cost).toBe(runOracle(problem).cost);
  expect(matching.cost).toBeLessThan(runNearest(problem).cost!);
  expect(snapshotOf(instance!, 1)).toEqual(snapshotOf(instance!, 1));
  expect(new Set(INSTANCES.map(nameOf)).size).toBe(INSTANCES.length);
});
