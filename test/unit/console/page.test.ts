import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { cornerOf, heightOf, indexAfterKey, indexAt, layoutOf } from "../../../operator/console/page/grid.ts";
import { healthOf, sayAge, sayWorker, SIGHT_MS, type Timed } from "../../../operator/console/page/health.ts";
import { assignmentsOf, projectionOf, sayMap, type Place } from "../../../operator/console/page/map-view.ts";
import type { MapOrder, SlotTick } from "../../../operator/console/page/picture.ts";
import { parseRoute } from "../../../operator/console/page/route.ts";
import { missedOf, slotsOf, tenuresOf } from "../../../operator/console/page/slots.ts";

describe("the health of a city", () => {
  const city: Timed = {
    worker: "worker-1",
    periodMs: 5_000,
    stallAfterMs: 15_000,
    committedAtMs: 0,
    isSuspended: false,
  };
  const levelAfter = (ageMs: number): string => healthOf(city, SIGHT_MS + ageMs).level;

  test("is the age of its last commit relative to its period, less what our own sight costs", () => {
    expect([0, 4_999, 5_000, 9_999, 10_000, 14_999, 15_000].map(levelAfter)).toEqual([
      "on-time",
      "on-time",
      "behind",
      "behind",
      "late",
      "late",
      "stalled",
    ]);
  });

  test("is no question of age for one that is suspended, held by nobody or yet to tick", () => {
    expect(healthOf({ ...city, isSuspended: true, worker: null }, 1e9).level).toBe("suspended");
    expect(healthOf({ ...city, worker: null }, 0).level).toBe("unheld");
    expect(healthOf({ ...city, committedAtMs: null }, 1e9)).toEqual({ level: "waiting", ageMs: undefined });
  });

  test("has an age in words that fit a cell", () => {
    expect([undefined, 420, 59_000, 300_000, 90_000_000, 1e9].map(sayAge)).toEqual([
      "never",
      "0.4 s",
      "59 s",
      "5 min",
      "25 h",
      "12 d",
    ]);
    expect([sayWorker("worker-7f9c-x2k4q-0a1b2c"), sayWorker(null)]).toEqual(["worker-7f9c-x2k4q", "nobody"]);
  });
});

describe("the grid of cities", () => {
  test("finds every city where it lies, at every size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12_000 }),
        fc.integer({ min: 320, max: 2_000 }),
        (count, width) => {
          const layout = layoutOf(count, width);
          for (const index of [0, Math.floor(count / 2), count - 1]) {
            const { x, y } = cornerOf(index, layout);
            expect(indexAt({ x: x + 1, y: y + 1 }, count, layout)).toBe(index);
            expect(x + layout.cellWidth).toBeLessThanOrEqual(width);
            expect(y + layout.cellHeight).toBeLessThanOrEqual(heightOf(layout));
          }
        },
      ),
    );
  });

  test("shows ten thousand cities on a page of a sane height", () => {
    expect(heightOf(layoutOf(10_000, 1_000))).toBeLessThan(2_000);
  });

  test("has no city after the last one", () => {
    const layout = layoutOf(3, 1_000);
    expect(indexAt({ x: cornerOf(3, layout).x + 1, y: 1 }, 3, layout)).toBeUndefined();
  });

  test("is walked by arrow keys, by tens of rows, and to both ends", () => {
    const layout = layoutOf(1_000, 1_000);
    const after = (key: string, index: number): number | undefined =>
      indexAfterKey(key, index, 1_000, layout);
    expect([after("ArrowRight", 0), after("ArrowDown", 0), after("ArrowUp", layout.columns)]).toEqual([
      1,
      layout.columns,
      0,
    ]);
    expect([after("ArrowLeft", 0), after("End", 5), after("Home", 5), after("x", 5)]).toEqual([
      0,
      999,
      0,
      undefined,
    ]);
    expect(after("PageDown", 0)).toBe(layout.columns * 10);
  });
});

describe("the slots of a city", () => {
  const tick = (slotMs: number, holder = "a", periodMs = 1_000): SlotTick => ({
    slotMs,
    periodMs,
    holder,
    token: "1",
    degraded: 0,
    decisions: 0,
    dropped: 0,
    committedAtMs: slotMs,
  });

  test("are in the order of their numbers, with what was missed between them", () => {
    const slots = slotsOf(
      new Map([
        ["10", tick(6_000, "b")],
        ["9", tick(2_000)],
        ["8", tick(1_000)],
      ]),
    );
    expect(slots.map((slot) => (slot.kind === "missed" ? `${slot.count} missed` : slot.number))).toEqual([
      "8",
      "9",
      "3 missed",
      "10",
    ]);
    expect(missedOf(slots)).toBe(3);
    expect(tenuresOf(slots)).toEqual([
      { holder: "a", firstTick: "8", lastTick: "9", ticks: 2 },
      { holder: "b", firstTick: "10", lastTick: "10", ticks: 1 },
    ]);
  });

  test("are not missed because the period changed", () => {
    const longer = new Map([
      ["1", tick(1_000)],
      ["2", tick(6_000, "a", 5_000)],
    ]);
    const shorter = new Map([
      ["1", tick(5_000, "a", 5_000)],
      ["2", tick(10_000, "a", 1_000)],
    ]);
    expect([missedOf(slotsOf(longer)), missedOf(slotsOf(shorter))]).toEqual([0, 0]);
  });

  test("are none where nothing was committed", () => {
    expect(slotsOf(new Map())).toEqual([]);
  });
});

describe("the map of a city", () => {
  const size = { width: 600, height: 400 };
  const degrees = fc.record({
    latitude: fc.double({ min: 40.3, max: 40.5, noNaN: true }),
    longitude: fc.double({ min: -3.8, max: -3.6, noNaN: true }),
  });

  test("has every place inside, north up and east to the right", () => {
    fc.assert(
      fc.property(fc.array(degrees, { minLength: 1, maxLength: 20 }), (places: readonly Place[]) => {
        const project = projectionOf(places, size);
        for (const { x, y } of places.map(project)) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(size.width);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(y).toBeLessThanOrEqual(size.height);
        }
      }),
    );
    const [south, north] = [
      { latitude: 40, longitude: -3 },
      { latitude: 41, longitude: -2 },
    ];
    const project = projectionOf([south, north], size);
    expect(project(north).y).toBeLessThan(project(south).y);
    expect(project(north).x).toBeGreaterThan(project(south).x);
  });

  const order = (courier: string | null): MapOrder => ({
    store: "s1",
    storeLatitude: 40.4,
    storeLongitude: -3.7,
    latitude: 40.41,
    longitude: -3.71,
    placedAtMs: 0,
    readyAtMs: 0,
    courier,
    isAccepted: false,
  });
  const courier = { latitude: 40.5, longitude: -3.7, vehicle: "", load: 0, capacity: 2 };

  test("is told in a sentence", () => {
    const orders = new Map([
      ["o1", order("c1")],
      ["o2", order(null)],
    ]);
    expect(sayMap(orders, new Map([["c1", courier]]), 12_000)).toBe(
      "2 open orders of 1 stores, 1 without a courier, the oldest for 12 s; 1 couriers on shift, 1 of them idle.",
    );
  });

  test("draws what was assigned from its courier to its store, as far as both are on it", () => {
    const decision = { kind: "assigned", courier: "c1", text: "" };
    const decisions = new Map([
      ["o1", decision],
      ["o2", { ...decision, kind: "held" }],
      ["o3", { ...decision, courier: "c9" }],
      ["o4", decision],
    ]);
    const orders = new Map(["o1", "o2", "o3"].map((id) => [id, order(null)]));
    expect(assignmentsOf(decisions, orders, new Map([["c1", courier]]))).toEqual([
      { from: courier, to: { latitude: 40.4, longitude: -3.7 } },
    ]);
  });
});

describe("the address", () => {
  test("says which city and which order is to be seen, and is the fleet otherwise", () => {
    expect(["", "#/", "#/city/", "#/city/<b>"].map((hash) => parseRoute(hash).kind)).toEqual([
      "fleet",
      "fleet",
      "fleet",
      "fleet",
    ]);
    expect(parseRoute("#/city/madrid")).toEqual({ kind: "city", city: "madrid", order: undefined });
    expect(parseRoute("#/city/madrid/order/o%2F1%20%C3%A9")).toEqual({
      kind: "city",
      city: "madrid",
      order: "o/1 é",
    });
    expect(parseRoute("#/city/madrid/order/100%")).toMatchObject({ order: "100%" });
  });
});
