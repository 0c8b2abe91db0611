import { describe, expect, test } from "@jest/globals";
import { DEFAULT_DISPATCH } from "../../../crds/city.ts";
import { parseDuration } from "../../../crds/duration.ts";
import type { CityScript } from "../../../local/traffic/city-script.ts";
import { CityWorld } from "../../../local/traffic/city-world.ts";
import { distanceMeters } from "../../../local/traffic/geometry.ts";
import type { MdrpDay } from "../../../local/traffic/mdrplib.ts";
import { recordedDispatch, recordedScript } from "../../../local/traffic/recorded-day.ts";
import { createTimeScale, scaledDispatch } from "../../../local/traffic/time-scale.ts";

const MINUTE = 60_000;

/** 320 m a minute; the courier starts at the store's plane origin, 3-4-5 triangles keep distances whole. */
const DAY: MdrpDay = {
  metersPerMinute: 320,
  pickupServiceMinutes: 4,
  dropoffServiceMinutes: 4,
  payPerOrder: 10,
  guaranteedPayPerHour: 15,
  restaurants: [{ id: "r1", x: 960, y: 1_280 }],
  orders: [
    { id: "o2", x: 961, y: 1_280, placedAtMinute: 620, restaurant: "r1", readyAtMinute: 640 },
    { id: "o1", x: 960, y: 2_880, placedAtMinute: 600, restaurant: "r1", readyAtMinute: 603 },
  ],
  couriers: [
    { id: "c2", x: 0, y: 0, onAtMinute: 630, offAtMinute: 800 },
    { id: "c1", x: 0, y: 0, onAtMinute: 0, offAtMinute: 700 },
    { id: "c0", x: 0, y: 0, onAtMinute: 0, offAtMinute: 500 },
  ],
};

describe("a recorded day", () => {
  test("starts shortly before its first order, with the couriers who are on by then", () => {
    const script = recordedScript(DAY);
    expect(script.startMs).toBe(599 * MINUTE);
    const world = new CityWorld(script);
    world.advance(script.startMs);
    expect(world.couriers().map(({ id }) => id)).toEqual(["c1"]);
    world.advance(630 * MINUTE);
    expect(world.couriers().map(({ id }) => id)).toEqual(["c1", "c2"]);
  });

  test("keeps its metres on the map", () => {
    const { stores, orders } = recordedScript(DAY);
    const [first] = orders as CityScript["orders"] &
      readonly { readonly door: { latitude: number; longitude: number } }[];
    expect(distanceMeters({ latitude: 0, longitude: 0 }, stores[0]!.position)).toBeCloseTo(1_600, 3);
    expect(distanceMeters(stores[0]!.position, first!.door)).toBeCloseTo(1_600, 3);
  });

  test("is played by the library's rules: whole minutes of travel, rounded up, and half of the service on each side", () => {
    const script = recordedScript(DAY);
    const world = new CityWorld(script);
    world.advance(600 * MINUTE);
    world.assign({ orderId: "o1", courierId: "c1", atMs: 600 * MINUTE });
    // 1,600 m are exactly 5 minutes: pickup at 607; 1,600 m to the door: 614 + 2.
    const first = world.advance(620 * MINUTE).filter(({ kind }) => kind !== "order-placed");
    expect(first.map(({ kind, atMs }) => `${atMs / MINUTE} ${kind}`)).toEqual([
      "600 assignment-accepted",
      "607 order-picked-up",
      "616 order-delivered",
    ]);
    world.assign({ orderId: "o2", courierId: "c1", atMs: 620 * MINUTE });
    // Free at 618, 5 minutes back to the store: pickup not before ready at 640; 1 m to the door counts as a minute.
    const second = world.advance(700 * MINUTE).filter(({ kind }) => kind !== "shift-started");
    expect(second.map(({ kind, atMs }) => `${atMs / MINUTE} ${kind}`)).toEqual([
      "620 assignment-accepted",
      "640 order-picked-up",
      "645 order-delivered",
    ]);
    expect(world.isOver()).toBe(true);
  });

  test("ends when the last courier is off, with the orders that nobody took", () => {
    const world = new CityWorld(recordedScript(DAY));
    world.advance(799 * MINUTE);
    expect(world.isOver()).toBe(false);
    world.advance(800 * MINUTE);
    expect(world.isOver()).toBe(true);
    expect(world.openOrderCount).toBe(2);
  });
});

describe("an accelerated day", () => {
  test("lies on the database's clock and back", () => {
    const scale = createTimeScale({ speed: 60, startWorldMs: 599 * MINUTE, startDatabaseMs: 1_000_000 });
    expect(scale.toDatabaseMs(599 * MINUTE)).toBe(1_000_000);
    expect(scale.toDatabaseMs(600 * MINUTE)).toBe(1_001_000);
    expect(scale.toWorldMs(1_001_000)).toBe(600 * MINUTE);
  });

  test("has its dispatch parameters scaled: durations shrink, couriers speed up", () => {
    const bicycles = { ...recordedDispatch(DAY), vehicleSpeeds: { bicycle: 250 } };
    expect(scaledDispatch(60, bicycles)).toEqual({
      ...DEFAULT_DISPATCH,
      horizon: "20s",
      courierFreeWithin: "10s",
      courierSpeedMetersPerMinute: 19_200,
      vehicleSpeeds: { bicycle: 15_000 },
      serviceTime: "4s",
      pickupTravelMax: "45s",
      bundleDelayMax: "10s",
      clickToDoorTarget: "40s",
      // Not 10s: positions come at the pace of real time.
      positionAgeMax: "30s",
      reassignGainMin: "3s",
    });
  });

  test("keeps its dispatch parameters within what a City allows", () => {
    const extreme = scaledDispatch(100_000, recordedDispatch(DAY));
    expect(parseDuration(extreme.horizon)).toBe(1_000);
    expect(parseDuration(extreme.pickupTravelMax)).toBe(1_000);
    expect(extreme.courierSpeedMetersPerMinute).toBe(100_000);
  });
});
