import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { parseToken } from "../../../crds/token.ts";
import { placeCities } from "../../../operator/cities/place.ts";
import type { CityView, FleetView } from "../../../operator/cities/view.ts";
import type { WorkerView } from "../../../operator/workers/roster.ts";
import { cityOf } from "../../support/cities.ts";
import { cityView, fleetView, workerView } from "../../support/fleet.ts";

function decide(
  cities: readonly CityView[],
  workers: readonly WorkerView[],
  fields: Partial<FleetView> = {},
) {
  return Object.fromEntries(placeCities(fleetView({ cities, workers, fields })));
}

const unheld = { worker: undefined, token: parseToken("9"), task: undefined, since: undefined };
const sealedFence = {
  epoch: 1n,
  token: parseToken("9"),
  holder: undefined,
  tick: 4n,
  slotMs: 1,
  committedAtMs: 1,
  advancedMs: 0,
};

describe("a city", () => {
  test("stays with a live holder", () => {
    expect(decide([cityView("madrid", { holder: "w1" })], [workerView("w1"), workerView("w2")])).toEqual({
      madrid: { kind: "keep" },
    });
  });

  test("gets the finalizer before anybody holds it", () => {
    expect(decide([cityView("madrid", { hasFinalizer: false })], [workerView("w1")])).toEqual({
      madrid: { kind: "adopt" },
    });
  });

  test("that is new goes to the least loaded live worker", () => {
    const cities = [cityView("madrid", { holder: "w1" }), cityView("paris")];
    expect(decide(cities, [workerView("w1"), workerView("w2")])["paris"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "new-city",
    });
  });

  test("waits when no worker of its pool is live", () => {
    const workers = [
      workerView("w1", { pool: "other" }),
      workerView("w2", { liveness: "joining" }),
      workerView("w3", { liveness: "late" }),
      workerView("w4", { liveness: "draining" }),
      workerView("w5", { liveness: "gone" }),
    ];
    expect(decide([cityView("madrid")], workers)).toEqual({
      madrid: { kind: "wait", because: "no-workers" },
    });
  });

  test.each([
    ["gone", "holder-gone"],
    ["draining", "holder-draining"],
  ] as const)("leaves a holder that is %s", (liveness, because) => {
    expect(
      decide([cityView("madrid", { holder: "w1" })], [workerView("w1", { liveness }), workerView("w2")])[
        "madrid"
      ],
    ).toEqual({ kind: "assign", worker: "w2", because });
  });

  test("leaves a holder whose Lease is gone", () => {
    expect(decide([cityView("madrid", { holder: "w0" })], [workerView("w2")])["madrid"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "holder-gone",
    });
  });

  test("is not taken from a silent holder while the database does not answer", () => {
    expect(
      decide(
        [cityView("madrid", { holder: "w1" })],
        [workerView("w1", { liveness: "gone" }), workerView("w2")],
        {
          isDatabaseReachable: false,
        },
      ),
    ).toEqual({ madrid: { kind: "wait", because: "database-unreachable" } });
  });

  test.each(["late", "joining"] as const)("stays with a holder that is %s", (liveness) => {
    const [decision] = Object.values(
      decide([cityView("madrid", { holder: "w1" })], [workerView("w1", { liveness }), workerView("w2")]),
    );
    expect(decision).toEqual(
      liveness === "late" ? { kind: "wait", because: "holder-late" } : { kind: "keep" },
    );
  });

  test("stays with its holder under a new token when its specification changed", () => {
    const madrid = cityView("madrid", { holder: "w1" });
    const edited = { ...madrid, task: { ...madrid.task, generation: 2, period: "2s" } };
    expect(decide([edited], [workerView("w1"), workerView("w2")])["madrid"]).toEqual({
      kind: "assign",
      worker: "w1",
      because: "spec-changed",
    });
  });

  test("moves when its pool changed", () => {
    const madrid = cityView("madrid", { holder: "w1", pool: "big" });
    expect(decide([madrid], [workerView("w1"), workerView("w2", { pool: "big" })])["madrid"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "pool-changed",
    });
  });

  test("is left alone while another cluster is the authority, or nobody knows", () => {
    for (const [authority, because] of [
      [{ kind: "foreign", clusterUid: "x" }, "foreign-authority"],
      [{ kind: "unknown" }, "authority-unknown"],
    ] as const) {
      expect(decide([cityView("madrid")], [workerView("w1")], { authority })).toEqual({
        madrid: { kind: "wait", because },
      });
    }
  });
});

describe("a suspended city", () => {
  const city = cityOf("madrid", { suspend: true });

  test("is taken from its holder, then sealed, then kept so", () => {
    const workers = [workerView("w1")];
    expect(decide([cityView("madrid", { city, holder: "w1" })], workers)["madrid"]).toEqual({
      kind: "unassign",
      because: "suspended",
    });
    expect(decide([cityView("madrid", { city, lease: unheld })], workers)["madrid"]).toEqual({
      kind: "seal",
      because: "suspended",
    });
    expect(
      decide([cityView("madrid", { city, lease: unheld, fence: sealedFence })], workers)["madrid"],
    ).toEqual({
      kind: "keep",
    });
  });

  test("is sealed again when the fence is behind the Lease, or has a holder", () => {
    for (const fence of [
      { ...sealedFence, token: parseToken("8") },
      { ...sealedFence, holder: "w1" },
    ]) {
      expect(decide([cityView("madrid", { city, lease: unheld, fence })], [])["madrid"]).toEqual({
        kind: "seal",
        because: "suspended",
      });
    }
  });

  test("is assigned again when it is resumed", () => {
    const lease = { ...unheld };
    expect(decide([cityView("madrid", { lease, fence: sealedFence })], [workerView("w1")])["madrid"]).toEqual(
      {
        kind: "assign",
        worker: "w1",
        because: "resumed",
      },
    );
  });
});

describe("a deleted city", () => {
  const deleting = { isDeleting: true };

  test("is taken from its holder, sealed, and only then let go", () => {
    expect(decide([cityView("madrid", { ...deleting, holder: "w1" })], [])["madrid"]).toEqual({
      kind: "unassign",
      because: "deleted",
    });
    expect(decide([cityView("madrid", { ...deleting, lease: unheld })], [])["madrid"]).toEqual({
      kind: "seal",
      because: "deleted",
    });
    expect(
      decide([cityView("madrid", { ...deleting, lease: unheld, fence: sealedFence })], [])["madrid"],
    ).toEqual({
      kind: "remove",
    });
  });

  test("that nobody ever held is let go at once", () => {
    expect(decide([cityView("madrid", deleting)], [])["madrid"]).toEqual({ kind: "remove" });
  });
});

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

  test("comes to rest, and never makes the most loaded worker more loaded", () => {
    const anyFleet = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }),
      workers: fc.integer({ min: 1, max: 6 }),
    });
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
