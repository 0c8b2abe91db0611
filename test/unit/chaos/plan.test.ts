import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { labelOf, planFaults, targetOf } from "../../chaos/plan.ts";

const INPUT = {
  durationMs: 120_000,
  workers: ["worker-1", "worker-2", "worker-3"],
  operators: ["operator-1", "operator-2"],
  cities: ["oslo", "rome"],
};
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

test("the same seed makes the same plan, another seed another one", () => {
  expect(planFaults({ ...INPUT, seed: 5 })).toEqual(planFaults({ ...INPUT, seed: 5 }));
  expect(planFaults({ ...INPUT, seed: 5 })).not.toEqual(planFaults({ ...INPUT, seed: 6 }));
});

test("every fault begins in the order of time and is over before the end", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const plan = planFaults({ ...INPUT, seed });
      const starts = plan.map(({ atMs }) => atMs);
      expect(starts).toEqual(starts.toSorted((left, right) => left - right));
      for (const { atMs, durationMs } of plan)
        expect(atMs + durationMs).toBeLessThanOrEqual(INPUT.durationMs);
    }),
    { numRuns: 50 },
  );
});

test("nothing suffers two faults at once", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      for (const [, faults] of Map.groupBy(planFaults({ ...INPUT, seed }), targetOf)) {
        for (const [index, fault] of faults.entries()) {
          const previous = faults[index - 1];
          if (previous !== undefined) expect(fault.atMs).toBeGreaterThan(previous.atMs + previous.durationMs);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("an hour has faults of every kind", () => {
  const labels = new Set(planFaults({ ...INPUT, seed: 1, durationMs: 3_600_000 }).map(labelOf));
  const links = ["cut", "swallow", "delay", "late", "lose-answers"];
  expect(labels).toEqual(
    new Set([
      ...links.map((kind) => `api ${kind}`),
      ...links.map((kind) => `mysql ${kind}`),
      ...["kill", "freeze"].flatMap((kind) => [`worker ${kind}`, `operator ${kind}`]),
      "worker drain",
      "api-server-kill",
      "mysql-kill",
      "mysql-freeze",
      ...["suspend", "delete"].flatMap((kind) => [kind, `${kind} with a late commit`]),
    ]),
  );
});
