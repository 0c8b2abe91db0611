import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { placeCities } from "../../../operator/cities/place.ts";
import { cityView, decide, fleetView, workerView } from "../../support/fleet.ts";

describe("balance", () => {
  const cities = ["a", "b", "c", "d"].map((name) => cityView(name, { holder: "w1" }));

  test("moves cities to a new worker, within the budget", () => {
    const workers = [workerView("w1"), workerView("w2")];
    const moves = (shedBudget: number) =>
      Object.values(decide(cities, workers, { shedBudget })).filter(({ kind }) => kind === "assign");
    expect(moves(0)).toHaveLength(0);
    expect(moves(1)).toEqual([{ kind: "assign", worker: "w2", because: "balance" }]);
    expect(moves(10)).toHaveLength(2);
  });

  test("leaves a city alone that was moved lately", () => {
    const cooling = cities.map((city) => ({ ...city, movedMs: 995_000 }));
    const decisions = decide(cooling, [workerView("w1"), workerView("w2")], { shedBudget: 10 });
    expect(Object.values(decisions)).toEqual(cities.map(() => ({ kind: "keep" })));
  });

  test("leaves a city alone that another operator may have moved lately", () => {
    const unknown = cities.map((city) => ({ ...city, assignedMs: 995_000 }));
    const decisions = decide(unknown, [workerView("w1"), workerView("w2")], { shedBudget: 10 });
    expect(Object.values(decisions)).toEqual(cities.map(() => ({ kind: "keep" })));
  });

  const anyFleet = fc.record({
    weights: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }),
    workers: fc.integer({ min: 1, max: 6 }),
  });

  test("comes to rest, and never makes the most loaded worker more loaded", () => {
    fc.assert(
      fc.property(anyFleet, ({ weights, workers }) => {
        const fleet = Array.from({ length: workers }, (_, index) => workerView(`w${index}`));
        let view = weights.map((weight, index) =>
          cityView(`c${index}`, { weight, holder: `w${index % 2 === 0 ? 0 : workers - 1}` }),
        );
        const maxLoad = () =>
          Math.max(
            ...fleet.map(({ id }) =>
              view.filter(({ lease }) => lease?.worker === id).reduce((sum, { weight }) => sum + weight, 0),
            ),
          );
        let rounds = 0;
        for (; rounds < 100; rounds++) {
          const before = maxLoad();
          const decisions = placeCities(
            fleetView({ cities: view, workers: fleet, fields: { shedBudget: 3 } }),
          );
          const moves = [...decisions].filter(([, decision]) => decision.kind === "assign");
          if (moves.length === 0) break;
          view = view.map((city) => {
            const decision = decisions.get(city.name);
            return decision?.kind === "assign"
              ? { ...city, lease: { ...city.lease!, worker: decision.worker } }
              : city;
          });
          expect(maxLoad()).toBeLessThanOrEqual(before);
        }
        expect(rounds).toBeLessThan(100);
      }),
    );
  });

  test("moves nothing of a fleet at rest because some workers are late or cut off for a moment", () => {
    // The last worker has just joined and is filled with many small ones until the hysteresis says that it is enough.
    const manyCities = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 40, maxLength: 120 }),
      workers: fc.integer({ min: 3, max: 6 }),
    });
    const anyTrouble = fc.array(fc.constantFrom("none", "late", "cut-off"), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(manyCities, anyTrouble, ({ weights, workers }, troubles) => {
        const fleet = Array.from({ length: workers }, (_, index) => workerView(`w${index}`));
        let view = weights.map((weight, index) =>
          cityView(`c${index}`, { weight, holder: `w${index % (workers - 1)}` }),
        );
        const moves = (some: typeof fleet) =>
          [...placeCities(fleetView({ cities: view, workers: some, fields: { shedBudget: 3 } }))].filter(
            ([, decision]) => decision.kind === "assign",
          );
        for (let found = moves(fleet); found.length > 0; found = moves(fleet)) {
          const holders = new Map(found.map(([city, decision]) => [city, decision]));
          view = view.map((city) => {
            const decision = holders.get(city.name);
            return decision?.kind === "assign"
              ? { ...city, lease: { ...city.lease!, worker: decision.worker } }
              : city;
          });
        }
        const troubled = fleet.map((worker, index) => ({
          ...worker,
          liveness: troubles[index] === "late" ? ("late" as const) : worker.liveness,
          isDatabaseReachable: troubles[index] !== "cut-off",
        }));
        expect(moves(troubled)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

test("orphans go largest first, so that the load comes out even", () => {
  const weights = { a: 1, b: 1, c: 1, d: 3 };
  const cities = Object.entries(weights).map(([name, weight]) => cityView(name, { weight }));
  const decisions = decide(cities, [workerView("w1"), workerView("w2")]);
  const holder = (name: string) => (decisions[name]?.kind === "assign" ? decisions[name].worker : "");
  expect(new Set([holder("a"), holder("b"), holder("c")]).size).toBe(1);
  expect(holder("d")).not.toBe(holder("a"));
});

test("among equals the emptier zone is chosen", () => {
  const cities = [cityView("a", { holder: "w1" }), cityView("b")];
  const workers = [
    workerView("w1", { zone: "x" }),
    workerView("w2", { zone: "x" }),
    workerView("w3", { zone: "y" }),
  ];
  expect(decide(cities, workers)["b"]).toMatchObject({ worker: "w3" });
});

test("the same view gives the same answer, in whatever order it lists things", () => {
  const names = ["a", "b", "c", "d", "e"];
  fc.assert(
    fc.property(
      fc.shuffledSubarray(names, { minLength: 5 }),
      fc.shuffledSubarray(["w1", "w2", "w3"], { minLength: 3 }),
      (cities, workers) => {
        const expected = decide(
          names.map((name) => cityView(name)),
          ["w1", "w2", "w3"].map((id) => workerView(id)),
        );
        expect(
          decide(
            cities.map((name) => cityView(name)),
            workers.map((id) => workerView(id)),
          ),
        ).toEqual(expected);
      },
    ),
  );
});
