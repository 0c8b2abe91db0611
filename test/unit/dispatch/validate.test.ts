import { expect, test } from "@jest/globals";
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

test("decisions of one answer count against capacity together with the load", () => {
  const snapshot = aSnapshot(
    [anOrder("o"), anOrder("p"), anOrder("q")],
    [aCourier("c", { capacity: 3, load: 1, freeAtMs: NOW_MS, freePosition: at(0) })],
  );
  const decisions = ["o", "p", "q"].map((order) => given(order, "c"));
  expect(validateDecisions(snapshot, PARAMETERS, decisions)).toEqual({
    accepted: decisions.slice(0, 2),
    refused: [{ decision: decisions[2], because: "capacity" }],
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
