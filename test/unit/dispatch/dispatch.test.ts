import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { randomStream } from "../../../local/traffic/random.ts";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import type { Courier, DispatchResult, Explanation, Order } from "../../../worker/dispatch/model.ts";
import { validateDecisions } from "../../../worker/dispatch/validate.ts";
import {
  aCourier,
  anOrder,
  aRandomSnapshot,
  aSnapshot,
  assignedTo,
  at,
  MINUTE_MS,
  NOW_MS,
  PARAMETERS,
} from "../../support/dispatch-snapshot.ts";

const NEVER = { hasPassed: () => false };
const ALREADY = { hasPassed: () => true };

function decide(orders: readonly Order[], couriers: readonly Courier[]): DispatchResult {
  return dispatch(aSnapshot(orders, couriers), PARAMETERS, NEVER);
}

/** Which courier each order was given now. */
function givenIn(result: DispatchResult): Record<string, string> {
  return Object.fromEntries(result.decisions.map(({ order, courier }) => [order, courier]));
}

/** What became of each order. */
function kindsIn(result: DispatchResult): Record<string, Explanation["kind"]> {
  return Object.fromEntries(result.explanations.map(({ order, kind }) => [order, kind]));
}

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const random = randomStream(seed, "shuffle");
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

describe("a decision", () => {
  test("gives an order that is ready to the courier who is there first", () => {
    const busyNearby = { load: 1, freeAtMs: NOW_MS + 8 * MINUTE_MS, freePosition: at(0) };
    const result = decide(
      [anOrder("o")],
      [
        aCourier("far", { position: at(3_000) }),
        aCourier("near", { position: at(600) }),
        aCourier("busy", busyNearby),
      ],
    );
    expect(result).toMatchObject({
      decisions: [{ order: "o", courier: "near", stop: 1, from: undefined }],
      degraded: false,
      gap: 0,
    });
  });

  test("gives up the nearest courier where the sum of all is better for it", () => {
    // East is nearest to both stores, but the other courier is hopelessly far from the eastern one.
    const result = decide(
      [anOrder("middle", { store: at(0) }), anOrder("eastern", { store: at(2_000) })],
      [aCourier("east", { position: at(900) }), aCourier("west", { position: at(-1_200) })],
    );
    expect(givenIn(result)).toEqual({ eastern: "east", middle: "west" });
  });

  test("is the same for any order of the lists, and the same again", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, shuffle) => {
        const snapshot = aRandomSnapshot(seed, { orders: 20, couriers: 25 });
        const result = dispatch(snapshot, PARAMETERS, NEVER);
        const other = {
          ...snapshot,
          orders: shuffled(snapshot.orders, shuffle),
          couriers: shuffled(snapshot.couriers, shuffle + 1),
        };
        expect(dispatch(other, PARAMETERS, NEVER)).toEqual(result);
      }),
      { numRuns: 50 },
    );
  });

  test("is the same for any order of the lists where all are alike", () => {
    const orders = ["a", "b", "c", "d"].map((id) => anOrder(id));
    const couriers = ["e", "f"].map((id) => aCourier(id));
    const answers = Array.from({ length: 20 }, (_, seed) =>
      decide(shuffled(orders, seed), shuffled(couriers, seed)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test("breaks ties without favouring the alphabet", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const winners = names.map((_, index) => {
      const couriers = names.slice(index).map((name) => aCourier(name));
      return decide([anOrder("o")], couriers).decisions[0]!.courier;
    });
    expect(winners).not.toEqual(names);
  });

  test("is made in a city of thousands of couriers as if all pairs had been looked at", () => {
    // Beyond the dense limit; every order is at one place, so all have the same nearest couriers: the lowest numbers.
    const snapshot = aSnapshot(
      Array.from({ length: 60 }, (_, index) => anOrder(`o${index}`, { store: at(0) })),
      Array.from({ length: 7_000 }, (_, index) => aCourier(`c${index}`, { position: at(1 + index) })),
    );
    const result = dispatch(snapshot, PARAMETERS, NEVER);
    const couriers = Array.from({ length: 60 }, (_, index) => `c${index}`);
    expect(new Set(result.decisions.map(({ courier }) => courier))).toEqual(new Set(couriers));
    expect(result.degraded).toBe(false);
  });
});

describe("who is looked at", () => {
  test("not an order that an earlier tick assigned, nor one beyond the horizon", () => {
    const result = decide(
      [
        anOrder("assigned", { assignment: assignedTo("c") }),
        anOrder("later", { readyAtMs: NOW_MS + PARAMETERS.horizonMs + 1 }),
      ],
      [aCourier("c")],
    );
    expect(result.decisions).toEqual([]);
    expect(kindsIn(result)).toEqual({ assigned: "kept", later: "beyond-horizon" });
  });

  test.each<[string, Partial<Courier>]>([
    ["whose load is at capacity", { load: 2, freeAtMs: NOW_MS, freePosition: at(0) }],
    [
      "who has not confirmed the last order",
      { load: 1, unacknowledged: 1, freeAtMs: NOW_MS, freePosition: at(0) },
    ],
    ["who is busy until nobody knows when", { load: 1 }],
    [
      "who is busy for too long",
      { load: 1, freeAtMs: NOW_MS + PARAMETERS.courierFreeWithinMs + 1, freePosition: at(0) },
    ],
    ["who would be at the store after the end of the shift", { shiftEndsAtMs: NOW_MS + MINUTE_MS / 2 }],
    ["who is too far away", { position: at(9_100) }],
  ])("not a courier %s", (_, rest) => {
    expect(kindsIn(decide([anOrder("o")], [aCourier("c", rest)]))).toEqual({ o: "unassignable" });
  });

  test("not a courier who declined the order before", () => {
    const order = anOrder("o", { declinedBy: ["near"] });
    expect(kindsIn(decide([order], [aCourier("near")]))).toEqual({ o: "unassignable" });
    const withAnother = decide([order], [aCourier("near"), aCourier("far", { position: at(3_000) })]);
    expect(givenIn(withAnother)).toEqual({ o: "far" });
  });

  test("a busy courier from where and when the last delivery ends", () => {
    const busy = {
      load: 1,
      position: at(9_000),
      freeAtMs: NOW_MS + PARAMETERS.periodMs / 2,
      freePosition: at(0),
    };
    const result = decide(
      [anOrder("o")],
      [aCourier("busy", busy), aCourier("idle", { position: at(3_000) })],
    );
    expect(givenIn(result)).toEqual({ o: "busy" });
  });
});

describe("commit or hold", () => {
  // 900 m away: three minutes, and one of handling before the order changes hands.
  const courier = aCourier("c", { position: at(900) });
  const leadMs = 4 * MINUTE_MS;

  test("an order is held while to leave a tick later is early enough", () => {
    const order = anOrder("o", { readyAtMs: NOW_MS + leadMs + PARAMETERS.periodMs + 50 });
    expect(kindsIn(decide([order], [courier]))).toEqual({ o: "held" });
  });

  test("it is committed when to leave a tick later would be late", () => {
    const order = anOrder("o", { readyAtMs: NOW_MS + leadMs + PARAMETERS.periodMs - 50 });
    expect(givenIn(decide([order], [courier]))).toEqual({ o: "c" });
  });

  test("an order for a courier who is free only after the next tick is held", () => {
    const busy = aCourier("c", {
      load: 1,
      freeAtMs: NOW_MS + PARAMETERS.periodMs + 1,
      freePosition: at(0),
    });
    expect(kindsIn(decide([anOrder("o")], [busy]))).toEqual({ o: "held" });
  });

  test("the same holds when a day is replayed sixty times as fast", () => {
    const scale = 60;
    const faster = {
      ...PARAMETERS,
      periodMs: PARAMETERS.periodMs / scale,
      horizonMs: PARAMETERS.horizonMs / scale,
      courierFreeWithinMs: PARAMETERS.courierFreeWithinMs / scale,
      serviceTimeMs: PARAMETERS.serviceTimeMs / scale,
      pickupTravelMaxMs: PARAMETERS.pickupTravelMaxMs / scale,
      courierSpeedMetersPerMinute: PARAMETERS.courierSpeedMetersPerMinute * scale,
    };
    const readyAtMs = (marginMs: number): number =>
      NOW_MS + (leadMs + PARAMETERS.periodMs) / scale + marginMs;
    const decideFaster = (marginMs: number): DispatchResult =>
      dispatch(aSnapshot([anOrder("o", { readyAtMs: readyAtMs(marginMs) })], [courier]), faster, NEVER);
    expect(kindsIn(decideFaster(5))).toEqual({ o: "held" });
    expect(givenIn(decideFaster(-5))).toEqual({ o: "c" });
  });
});

describe("fairness", () => {
  test("of two orders alike, the one that was placed first gets the only courier", () => {
    const result = decide(
      [
        anOrder("young", { placedAtMs: NOW_MS - 5 * MINUTE_MS }),
        anOrder("old", { placedAtMs: NOW_MS - 15 * MINUTE_MS }),
      ],
      [aCourier("c")],
    );
    expect(givenIn(result)).toEqual({ old: "c" });
    expect(kindsIn(result)["young"]).toBe("unassignable");
  });

  test("an order far from all couriers wins against new ones nearby once it has waited long enough", () => {
    const winnerAfter = (waitedMs: number): string => {
      const far = anOrder("far", {
        store: at(6_000),
        placedAtMs: NOW_MS - waitedMs,
        readyAtMs: NOW_MS - waitedMs,
      });
      const near = anOrder("near", { placedAtMs: NOW_MS });
      return decide([far, near], [aCourier("c")]).decisions[0]!.order;
    };
    expect(winnerAfter(0)).toBe("near");
    expect(winnerAfter(240 * MINUTE_MS)).toBe("far");
  });
});

describe("at the deadline", () => {
  test("the answer is degraded, and still serves whom it can", () => {
    const orders = Array.from({ length: 10 }, (_, index) => anOrder(`o${index}`, { store: at(index * 100) }));
    const couriers = Array.from({ length: 12 }, (_, index) =>
      aCourier(`c${index}`, { position: at(index * 80) }),
    );
    const result = dispatch(aSnapshot(orders, couriers), PARAMETERS, ALREADY);
    expect(result.degraded).toBe(true);
    expect(result.decisions).toHaveLength(10);
  });

  test("whenever it comes, the decisions pass the validator and every order is explained", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 40 }), (seed, checks) => {
        const snapshot = aRandomSnapshot(seed, { orders: 30, couriers: 20 });
        let left = checks;
        const result = dispatch(snapshot, PARAMETERS, { hasPassed: () => left-- <= 0 });
        expect(validateDecisions(snapshot, PARAMETERS, result.decisions).refused).toEqual([]);
        expect(result.explanations.map(({ order }) => order)).toEqual(
          snapshot.orders.map(({ id }) => id).toSorted(),
        );
        const assigned = result.explanations.filter(({ kind }) => kind === "assigned");
        expect(assigned.map(({ order }) => order)).toEqual(result.decisions.map(({ order }) => order));
      }),
    );
  });

  test("an empty city is decided in time", () => {
    expect(dispatch(aSnapshot([], []), PARAMETERS, ALREADY)).toEqual({
      decisions: [],
      explanations: [],
      degraded: false,
      gap: 0,
    });
  });
});
