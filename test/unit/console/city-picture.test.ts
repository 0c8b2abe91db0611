import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import type { CityMap, Ledger } from "../../../db/city-activity.ts";
import type { Explanation } from "../../../db/story/explanation.ts";
import { cityPictureOf, DECISIONS_SHOWN, type Reading } from "../../../operator/console/city-picture.ts";
import { cityOf } from "../../support/cities.ts";
import { leaseView } from "../../support/fleet.ts";

const cost = { lateAtPickup: 0, lateAtDoor: 0, travel: 300, waiting: 0, reassignment: 0, age: 0 };

function ledgerOf(explanations: readonly Explanation[] = []): Reading<Ledger> {
  const explained = { tick: 41n, dispatcher: "optimal", explanations };
  const tick = {
    tick: 42n,
    slotMs: 1_000,
    periodMs: 1_000,
    epoch: 1n,
    token: "9007199254740993",
    holder: "worker-1",
    degraded: 0,
    decisions: 3,
    dropped: 1,
    committedAtMs: 1_100,
  };
  const claim = { claim: 2n, epoch: 1n, token: "8", holder: undefined, tick: 40n, claimedAtMs: 900 };
  return { kind: "read", result: { databaseTimeMs: 2_000, ticks: [tick], claims: [claim], explained } };
}

const noMap: Reading<CityMap> = { kind: "read", result: { orders: [], couriers: [], isCut: false } };

describe("one city as the console shows it", () => {
  const look = {
    city: cityOf("madrid", { period: "5s" }),
    periodMs: 5_000,
    lease: leaseView({ worker: "worker-1", token: parseToken("9007199254740993"), because: "balance" }),
    fence: undefined,
  };

  test("has its holder, and tokens to the last digit", () => {
    const { head, items } = cityPictureOf("madrid", look, { ledger: ledgerOf(), map: noMap });
    expect(head).toMatchObject({
      isFound: true,
      worker: "worker-1",
      token: "9007199254740993",
      because: "balance",
      periodMs: 5_000,
      stallAfterMs: 15_000,
    });
    expect(items.ticks.get("42")).toMatchObject({ token: "9007199254740993", dropped: 1 });
    expect(items.claims.get("2")).toMatchObject({ holder: null, tick: "40" });
  });

  test("says that there is none of that name", () => {
    const { head } = cityPictureOf("atlantis", undefined, { ledger: ledgerOf(), map: noMap });
    expect(head).toMatchObject({ city: "atlantis", isFound: false, worker: null });
  });

  test("says by its code what could not be read, and shows the rest", () => {
    const map = { kind: "failed", code: "database-denied", earlier: undefined } as const;
    const { head, items } = cityPictureOf("madrid", look, { ledger: ledgerOf(), map });
    expect(head).toMatchObject({ ledgerTrouble: null, mapTrouble: "database-denied" });
    expect(items.ticks.size).toBe(1);
  });

  test("keeps what was read before while it cannot be read", () => {
    const before = ledgerOf();
    const earlier = before.kind === "read" ? before.result : undefined;
    const ledger = { kind: "failed", code: "database-timeout", earlier } as const;
    const { head, items } = cityPictureOf("madrid", look, { ledger, map: noMap });
    expect(head.ledgerTrouble).toBe("database-timeout");
    expect(items.ticks.size).toBe(1);
  });

  test("has no door closer than about a hundred metres to where it is", () => {
    const order = {
      orderId: "o1",
      storeId: "s1",
      storeLatitude: 40.41234,
      storeLongitude: -3.70321,
      latitude: 40.418765,
      longitude: -3.712345,
      placedAtMs: 0,
      readyAtMs: 0,
      courierId: undefined,
      acceptedAtMs: undefined,
    };
    const map: Reading<CityMap> = { kind: "read", result: { orders: [order], couriers: [], isCut: true } };
    const { head, items } = cityPictureOf("madrid", look, { ledger: ledgerOf(), map });
    expect(items.orders.get("o1")).toMatchObject({ latitude: 40.419, longitude: -3.712, courier: null });
    expect(head.isMapCut).toBe(true);
  });

  test("tells decisions in words, what was assigned first, and only so many", () => {
    const kept = Array.from({ length: 300 }, (_, index): Explanation => {
      return { order: `k${index}`, kind: "kept", courier: "c1" };
    });
    const assigned: Explanation = { order: "o9", kind: "assigned", courier: "c7", with: [], cost };
    const { head, items } = cityPictureOf("madrid", look, {
      ledger: ledgerOf([...kept, assigned]),
      map: noMap,
    });
    const [first] = items.decisions;
    expect(first).toEqual([
      "o9",
      { kind: "assigned", courier: "c7", text: "assigned to c7; cost 30.0 s (travel 30.0)" },
    ]);
    expect(items.decisions.size).toBe(DECISIONS_SHOWN);
    expect(head).toMatchObject({ explainedTick: "41", explainedBy: "optimal", explainedOrders: 301 });
  });
});
