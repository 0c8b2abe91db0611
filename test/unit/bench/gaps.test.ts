import { expect, test } from "@jest/globals";
import { costOf, quantile, type TickAt } from "../../bench/gaps/measure.ts";
import { excessOf, formatTable } from "../../bench/gaps/report.ts";

const ticksAt = (city: string, ...seconds: readonly number[]): readonly TickAt[] =>
  seconds.map((second) => ({ city, atMs: second * 1_000 + 20, slotMs: second * 1_000, periodMs: 1_000 }));

const INPUT = {
  cities: ["oslo", "rome"],
  window: { affected: ["oslo"], sinceMs: 10_500, untilMs: 20_000 },
  ticks: [...ticksAt("oslo", 9, 10, 14, 15), ...ticksAt("rome", 9, 10, 11, 12)],
  claims: [
    { city: "oslo", atMs: 1, holder: "first" },
    { city: "oslo", atMs: 13_000, holder: "second" },
    { city: "oslo", atMs: 14_000, holder: "second" },
    { city: "rome", atMs: 1, holder: "second" },
  ],
};

test("a gap reaches from the last commit before the event to the first after it", () => {
  expect(costOf(INPUT)).toEqual({
    gapsMs: [4_000],
    missed: { affected: 3, others: 0 },
    moves: { min: 0, max: 1 },
  });
});

test("what a city missed before the event or after the end does not count", () => {
  const ticks = [...ticksAt("oslo", 3, 9, 10, 11, 20, 30), ...ticksAt("rome", 10, 11)];
  expect(costOf({ ...INPUT, ticks }).gapsMs).toEqual([9_000]);
  expect(costOf({ ...INPUT, ticks: ticksAt("oslo", 3, 9) }).gapsMs).toEqual([Infinity]);
});

test("a quantile is a value that was measured", () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([50, 99, 100]);
  expect(quantile([7], 0.99)).toBe(7);
});

test("each bound that is exceeded is named, also by a city that never came back", () => {
  const bound = {
    gapMs: { of: "max" as const, limitMs: 5_000, formula: "5 s" },
    missedMax: 0,
    movesMax: 0,
  };
  const within = { gapsMs: [1_000, 5_000], missed: { affected: 0, others: 0 }, moves: { min: 0, max: 0 } };
  expect(excessOf({ event: "calm", bound, cost: within })).toEqual([]);
  const beyond = { gapsMs: [1_000, Infinity], missed: { affected: 0, others: 1 }, moves: { min: 0, max: 1 } };
  expect(excessOf({ event: "storm", bound, cost: beyond })).toEqual(["max gap", "missed slots", "moves"]);
  expect(formatTable([{ event: "storm", bound, cost: beyond }])).toContain("EXCEEDED");
});
