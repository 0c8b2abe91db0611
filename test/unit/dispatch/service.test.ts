import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import { dispatchGreedily } from "../../../worker/dispatch/greedy.ts";
import type { Courier, Dispatcher, DispatchResult, Order } from "../../../worker/dispatch/model.ts";
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

function decide(
  orders: readonly Order[],
  couriers: readonly Courier[],
  dispatcher: Dispatcher = dispatch,
): DispatchResult {
  return dispatcher(aSnapshot(orders, couriers), PARAMETERS, NEVER);
}

describe("bundles", () => {
  const inOneStore = ["o", "p", "q"].map((id, index) =>
    anOrder(id, { storeId: "s", door: at(100 * index, 600) }),
  );

  test("bring orders of one store on one way when couriers are too few, nearest door first", () => {
    const { decisions, explanations } = decide(inOneStore, [aCourier("c", { capacity: 3 })]);
    expect(decisions).toEqual([
      { order: "o", courier: "c", stop: 1, from: undefined },
      { order: "p", courier: "c", stop: 2, from: undefined },
      { order: "q", courier: "c", stop: 3, from: undefined },
    ]);
    expect(explanations[0]).toMatchObject({ kind: "assigned", with: ["p", "q"] });
  });

  test("are not made while every order can have a courier of its own", () => {
    const couriers = ["a", "b", "c"].map((id) => aCourier(id, { capacity: 3 }));
    expect(new Set(decide(inOneStore, couriers).decisions.map(({ courier }) => courier)).size).toBe(3);
  });

  test("are no larger than the courier has room for, nor than the City allows", () => {
    expect(decide(inOneStore, [aCourier("c", { capacity: 2 })]).decisions).toHaveLength(2);
    const alone = { ...PARAMETERS, bundleOrdersMax: 1 };
    const snapshot = aSnapshot(inOneStore, [aCourier("c", { capacity: 3 })]);
    expect(dispatch(snapshot, alone, NEVER).decisions).toHaveLength(1);
  });
});

describe("an order that a courier already has", () => {
  const order = anOrder("o", { assignment: assignedTo("far") });
  const far = aCourier("far", { load: 1, position: at(6_000) });

  test("goes to another who would be there much sooner, and the answer says from whom", () => {
    const { decisions, explanations } = decide([order], [far, aCourier("near")]);
    expect(decisions).toEqual([{ order: "o", courier: "near", stop: 1, from: "far" }]);
    expect(explanations[0]).toMatchObject({ kind: "assigned", courier: "near", from: "far" });
  });

  test("stays where the gain is small", () => {
    const near = aCourier("near", { position: at(5_900) });
    expect(decide([order], [far, near])).toMatchObject({
      decisions: [],
      explanations: [{ order: "o", kind: "kept", courier: "far" }],
    });
  });

  test("stays with a courier whose position is stale, and is not left to nobody", () => {
    const stale = { ...far, positionAtMs: NOW_MS - PARAMETERS.positionAgeMaxMs - 1 };
    expect(decide([order], [stale]).explanations).toEqual([{ order: "o", kind: "kept", courier: "far" }]);
  });
});

describe("every answer", () => {
  test.each<[string, Dispatcher]>([
    ["the best", dispatch],
    ["a greedy one", dispatchGreedily],
  ])("passes the validator and explains each order once, however early the deadline: %s", (_, dispatcher) => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 60 }), (seed, checks) => {
        const snapshot = aRandomSnapshot(seed, { orders: 30, couriers: 20 });
        let left = checks;
        const result = dispatcher(snapshot, PARAMETERS, { hasPassed: () => left-- <= 0 });
        expect(validateDecisions(snapshot, PARAMETERS, result.decisions).refused).toEqual([]);
        const ids = snapshot.orders.map(({ id }) => id).toSorted();
        expect(result.explanations.map((one) => one.order)).toEqual(ids);
      }),
    );
  });

  test("is the same in another process", async () => {
    const program = fileURLToPath(new URL("../../support/dispatch-another-process.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, "7"]);
    const snapshot = aRandomSnapshot(7, { orders: 60, couriers: 50 });
    const result = dispatch(snapshot, PARAMETERS, NEVER);
    expect(result.decisions.length).toBeGreaterThan(0);
    expect(stdout).toBe(JSON.stringify(result));
  });
});

describe("the greedy dispatcher", () => {
  test("gives the oldest order the nearest courier who has nothing to do", () => {
    const orders = [
      anOrder("young", { placedAtMs: NOW_MS - MINUTE_MS }),
      anOrder("old", { placedAtMs: NOW_MS - 9 * MINUTE_MS }),
    ];
    const couriers = [
      aCourier("near", { position: at(300) }),
      aCourier("far", { position: at(3_000) }),
      aCourier("busy", { load: 1, freeAtMs: NOW_MS + MINUTE_MS, freePosition: at(0) }),
    ];
    const { decisions } = decide(orders, couriers, dispatchGreedily);
    expect(decisions.map(({ order, courier }) => [order, courier])).toEqual([
      ["old", "near"],
      ["young", "far"],
    ]);
  });
});

test("an order that only a distant courier can take is served while nearer ones never stop coming", () => {
  const placedAtMs = NOW_MS;
  const servedAfter = Array.from({ length: 300 }, (_, minute) => minute).find((minute) => {
    const nowMs = NOW_MS + minute * MINUTE_MS;
    const fresh = { placedAtMs: nowMs, readyAtMs: nowMs };
    const far = anOrder("far", { store: at(6_000), placedAtMs, readyAtMs: placedAtMs });
    const orders = [far, anOrder("new", fresh), anOrder("newer", fresh)];
    const courier = aCourier("c", { positionAtMs: nowMs, shiftEndsAtMs: nowMs + 240 * MINUTE_MS });
    const { decisions } = dispatch({ nowMs, orders, couriers: [courier] }, PARAMETERS, NEVER);
    return decisions.some(({ order }) => order === "far");
  });
  expect(servedAfter).toBeLessThan(150);
});
