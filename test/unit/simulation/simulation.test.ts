import { expect, test } from "@jest/globals";
import { planFaults } from "../../simulation/faults.ts";
import { run } from "../../simulation/run.ts";
import type { Shape } from "../../simulation/shape.ts";

const LIMIT_MS = 60_000;

const shape: Shape = {
  operators: 2,
  workers: 3,
  cities: [
    { name: "madrid", periodMs: 1_000 },
    { name: "lisbon", periodMs: 2_000 },
  ],
  periodsMs: [1_000, 2_000],
  heartbeatMs: 2_000,
  faultsForMs: 120_000,
  driftMax: 0.0001,
};

test(
  "the same seed gives the same run, to the last answer",
  async () => {
    const [first, again, another] = [
      await run({ seed: 11, shape }),
      await run({ seed: 11, shape }),
      await run({ seed: 12, shape }),
    ];
    expect(first.violations).toEqual([]);
    expect(again.fingerprint).toBe(first.fingerprint);
    expect(again.events).toBe(first.events);
    expect(another.fingerprint).not.toBe(first.fingerprint);
  },
  LIMIT_MS,
);

test("leaving one kind of fault out changes nothing of the others", () => {
  const all = planFaults(3, 600_000);
  const kind = all[0]!.kind;
  expect(planFaults(3, 600_000, { without: new Set([kind]) })).toEqual(
    all.filter((fault) => fault.kind !== kind),
  );
});

test(
  "a telling of the run does not change it",
  async () => {
    const lines: string[] = [];
    const told = await run({ seed: 11, shape, tell: (line) => lines.push(line) });
    expect(told.fingerprint).toBe((await run({ seed: 11, shape })).fingerprint);
    expect(lines.some((line) => line.includes("city assigned"))).toBe(true);
  },
  LIMIT_MS,
);
