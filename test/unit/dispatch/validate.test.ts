import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import type { Courier, Decision, Order } from "../../../worker/dispatch/model.ts";
import { validateDecisions, type DecisionRefusal } from "../../../worker/dispatch/validate.ts";
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

function given(order: string, courier: string): Decision {
  return { order, courier, stop: 1, from: undefined };
}

const decision = given("o", "c");

test("the dispatcher's own decisions are accepted", () => {
  let count = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const snapshot = aRandomSnapshot(seed, { orders: 40, couriers: 40 });
      const { decisions } = dispatch(snapshot, PARAMETERS, { hasPassed: () => false });
      count += decisions.length;
      expect(validateDecisions(snapshot, PARAMETERS, decisions)).toEqual({
        accepted: decisions,
        refused: [],
      });
    }),
  );
  expect(count).toBeGreaterThan(0);
});

test.each<[DecisionRefusal, Partial<Order>, Partial<Courier>]>([
  ["order-assigned", { assignment: assignedTo("another") }, {}],
  ["beyond-horizon", { readyAtMs: NOW_MS + PARAMETERS.horizonMs + 1 }, {}],
  ["capacity", {}, { load: 2, freeAtMs: NOW_MS, freePosition: at(0) }],
  ["unacknowledged", {}, { load: 1, unacknowledged: 1, freeAtMs: NOW_MS, freePosition: at(0) }],
  ["not-free", {}, { load: 1 }],
  ["not-free", {}, { load: 1, freeAtMs: NOW_MS + 11 * MINUTE_MS, freePosition: at(0) }],
  ["shift-over", {}, { shiftEndsAtMs: NOW_MS - 1 }],
  ["shift-over", {}, { shiftEndsAtMs: NOW_MS + MINUTE_MS / 2 }],
  ["too-far", {}, { position: at(9_100) }],
  ["declined", { declinedBy: ["c"] }, {}],
  ["vehicle", { vehicles: ["car", "van"] }, { vehicle: "bicycle" }],
  ["vehicle", { vehicles: ["car"] }, { vehicle: "" }],
  ["position-stale", {}, { positionAtMs: NOW_MS - PARAMETERS.positionAgeMaxMs - 1 }],
  ["capacity", {}, { capacity: 0 }],
  ["unknown-order", { id: "other" }, {}],
  ["unknown-courier", {}, { id: "other" }],
])("a decision is refused: %s", (because, order, courier) => {
  const snapshot = aSnapshot([anOrder("o", order)], [aCourier("c", courier)]);
  expect(validateDecisions(snapshot, PARAMETERS, [decision])).toEqual({
    accepted: [],
    refused: [{ decision, because }],
  });
});

test("the same order is given away once", () => {
  const snapshot = aSnapshot([anOrder("o")], [aCourier("c"), aCourier("d")]);
  const second = given("o", "d");
  expect(validateDecisions(snapshot, PARAMETERS, [decision, second])).toEqual({
    accepted: [decision],
    refused: [{ decision: second, because: "order-twice" }],
  });
});

/** Orders of one store for one courier, to be brought in this sequence. */
function bundle(courier: string, ...orders: string[]): Decision[] {
  return orders.map((order, index) => ({ ...given(order, courier), stop: index + 1 }));
}

describe("what one courier is given in one answer", () => {
  const inOneStore = (id: string, rest: Partial<Order> = {}): Order => anOrder(id, { storeId: "s", ...rest });
  const orders = ["o", "p", "q", "r"].map((id) => inOneStore(id));

  /** Why all decisions are refused; undefined when all are accepted. */
  function refusalOf(
    decisions: readonly Decision[],
    couriers: readonly Courier[],
    changed: readonly Order[] = [],
  ): DecisionRefusal | undefined {
    const others = orders.filter(({ id }) => !changed.some((order) => order.id === id));
    const snapshot = aSnapshot([...others, ...changed], couriers);
    const { accepted, refused } = validateDecisions(snapshot, PARAMETERS, decisions);
    const reasons = new Set(refused.map(({ because }) => because));
    expect(accepted).toEqual(reasons.size === 0 ? decisions : []);
    expect(reasons.size).toBeLessThanOrEqual(1);
    return [...reasons][0];
  }

  test("may be a bundle of one store", () => {
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c")])).toBeUndefined();
  });

  test("counts against capacity together with the load", () => {
    const busy = { load: 1, freeAtMs: NOW_MS, freePosition: at(0) };
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c", { ...busy, capacity: 3 })])).toBeUndefined();
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c", { ...busy, capacity: 2 })])).toBe("capacity");
  });

  test("is of one store", () => {
    const elsewhere = inOneStore("p", { storeId: "another" });
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c")], [elsewhere])).toBe("two-stores");
  });

  test("is no more than the City allows", () => {
    const decisions = bundle("c", "o", "p", "q", "r");
    expect(refusalOf(decisions, [aCourier("c", { capacity: 9 })])).toBe("bundle-too-large");
  });

  test.each([
    [1, 1],
    [1, 3],
    [0, 1],
    [Number.NaN, 1],
  ])("has stops that count from 1, not %d and %d", (first, second) => {
    const [one, two] = bundle("c", "o", "p");
    const decisions = [
      { ...one!, stop: first },
      { ...two!, stop: second },
    ];
    expect(refusalOf(decisions, [aCourier("c")])).toBe("stops");
  });

  test("delays no order for longer than the City allows, by its wait or by its way", () => {
    const later = inOneStore("p", { readyAtMs: NOW_MS + PARAMETERS.bundleDelayMaxMs + 2 * MINUTE_MS });
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c")], [later])).toBe("bundle-delay");
    const further = inOneStore("o", { door: at(0, 3_000) });
    expect(refusalOf(bundle("c", "o", "p"), [aCourier("c")], [further])).toBe("bundle-delay");
  });
});

describe("an order that a courier has", () => {
  const assignment = assignedTo("a");
  const busy = aCourier("a", { load: 1, position: at(3_000) });
  const taken: Decision = { ...given("o", "c"), from: "a" };

  function refusals(
    orders: readonly Order[],
    couriers: readonly Courier[],
    decisions: readonly Decision[],
  ): DecisionRefusal[] {
    const snapshot = aSnapshot(orders, couriers);
    return validateDecisions(snapshot, PARAMETERS, decisions).refused.map(({ because }) => because);
  }

  test("may be taken back where it is all that the courier has to do", () => {
    expect(refusals([anOrder("o", { assignment })], [busy, aCourier("c")], [taken])).toEqual([]);
  });

  test("may be taken back where the courier has not accepted it and is to bring others first", () => {
    const unaccepted = assignedTo("a", { isAccepted: false });
    const other = { load: 2, unacknowledged: 1, freeAtMs: NOW_MS + MINUTE_MS, freePosition: at(0) };
    const couriers = [aCourier("a", { ...other, capacity: 3 }), aCourier("c")];
    expect(refusals([anOrder("o", { assignment: unaccepted })], couriers, [taken])).toEqual([]);
    expect(refusals([anOrder("o", { assignment })], couriers, [taken])).toEqual(["order-assigned"]);
  });

  test("is not taken more often than the City allows", () => {
    const often = assignedTo("a", { reassignments: PARAMETERS.reassignmentsMax });
    const order = anOrder("o", { assignment: often });
    expect(refusals([order], [busy, aCourier("c")], [taken])).toEqual(["order-assigned"]);
  });

  test("is taken only from whoever has it", () => {
    const order = anOrder("o", { assignment });
    for (const from of [undefined, "b"]) {
      expect(refusals([order], [busy, aCourier("c")], [{ ...taken, from }])).toEqual(["not-from"]);
    }
    expect(refusals([order], [busy], [given("o", "a")])).toEqual(["order-assigned"]);
  });

  test("must go to somebody else before its courier is given another one", () => {
    const orders = [anOrder("o", { assignment }), anOrder("p")];
    const couriers = [busy, aCourier("c"), aCourier("d", { position: at(9_100) })];
    const next = given("p", "a");
    expect(refusals(orders, couriers, [next])).toEqual(["not-relieved"]);
    expect(refusals(orders, couriers, [next, taken])).toEqual([]);
    // What is refused relieves nobody.
    expect(refusals(orders, couriers, [next, { ...taken, courier: "d" }])).toEqual([
      "not-relieved",
      "too-far",
    ]);
  });
});

test("a refused decision leaves its order and its courier to the next one", () => {
  const snapshot = aSnapshot(
    [anOrder("o", { declinedBy: ["d"] })],
    [aCourier("c", { capacity: 1 }), aCourier("d", { capacity: 1 })],
  );
  const declined = given("o", "d");
  expect(validateDecisions(snapshot, PARAMETERS, [declined, decision])).toEqual({
    accepted: [decision],
    refused: [{ decision: declined, because: "declined" }],
  });
});
