import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import type { CityScript } from "../../../local/traffic/city-script.ts";
import { runCityTraffic } from "../../../local/traffic/city-traffic.ts";
import { readCityTraffic } from "../../../local/traffic/city-view.ts";
import { createFeed, type Feed } from "../../../local/traffic/feed.ts";
import type { MdrpDay } from "../../../local/traffic/mdrplib.ts";
import { recordedScript } from "../../../local/traffic/recorded-day.ts";
import { readRecordedSummary } from "../../../local/traffic/summary.ts";
import { SYNTHETIC_START_MS, syntheticScript } from "../../../local/traffic/synthetic.ts";
import { syntheticCity } from "../../../local/traffic/synthetic-city.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";
import { smallDay } from "../../support/recorded-day.ts";
import { runToyDispatcher } from "../../support/toy-dispatcher.ts";

const CITY = "madrid";
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));

let server: TestMysql;
let database: TestDatabase;
let feed: Feed;

beforeAll(async () => {
  server = await startTestMysql();
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await server.close();
});
beforeEach(async () => {
  database = await freshDatabase(server);
  feed = createFeed({
    database: database.open("feed", { connectionsMax: 4 }),
    clock: systemClock,
    log: silentLog,
    random: Math.random,
  });
}, 60_000);
afterEach(async () => {
  await database.close();
});

/** Plays the script beside the toy dispatcher, until it is over or the signal aborts. */
async function play(
  input: { readonly script: CityScript; readonly speed: number; readonly during?: () => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const dispatching = runToyDispatcher(
    { database: database.open("worker", { connectionsMax: 2 }), city: CITY },
    stop.signal,
  );
  const during = input.during?.();
  try {
    await runCityTraffic(
      {
        city: CITY,
        script: input.script,
        speed: input.speed,
        feed,
        clock: systemClock,
        log: silentLog,
        pollIntervalMs: 50,
        positionsIntervalMs: 200,
      },
      signal,
    ).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  } finally {
    stop.abort(new Error("the test is over"));
    // What a test does to the server it also undoes, whatever else fails.
    await Promise.all([dispatching, during]);
  }
}

type DeliveredRow = {
  readonly id: string;
  readonly courier_id: string;
  readonly placed_ms: number;
  readonly ready_ms: number;
  readonly picked_up_ms: number;
  readonly delivered_ms: number;
};

async function readDelivered(): Promise<readonly DeliveredRow[]> {
  const ms = (column: string): string => `CAST(ROUND(UNIX_TIMESTAMP(${column}) * 1000) AS DOUBLE)`;
  return (await database.sql(
    `SELECT o.id, a.courier_id, ${ms("o.placed_at")} AS placed_ms, ${ms("o.ready_at")} AS ready_ms,
            ${ms("o.picked_up_at")} AS picked_up_ms, ${ms("o.delivered_at")} AS delivered_ms
       FROM orders o JOIN assignment a ON a.city = o.city AND a.order_id = o.id AND a.state = 'delivered'
      WHERE o.status = 'delivered' ORDER BY o.id`,
  )) as unknown as readonly DeliveredRow[];
}

/** Minutes from the pickup to the door by the library's rules. */
function doorMinutes(day: MdrpDay, id: string): number {
  const order = day.orders.find((candidate) => candidate.id === id)!;
  const store = day.restaurants.find((candidate) => candidate.id === order.restaurant)!;
  const meters = Math.hypot(order.x - store.x, order.y - store.y);
  return (
    day.pickupServiceMinutes / 2 + Math.ceil(meters / day.metersPerMinute) + day.dropoffServiceMinutes / 2
  );
}

describe("a recorded day", () => {
  test("is delivered completely, once and at the exact times of the rules, also when MySQL is killed meanwhile", async () => {
    const day = smallDay({ orders: 40, couriers: 25 });
    const msPerMinute = 100;
    const restartInTheMiddle = async (): Promise<void> => {
      await sleep(2_000);
      await server.kill();
      await sleep(500);
      await server.restart();
    };
    await play(
      { script: recordedScript(day), speed: 60_000 / msPerMinute, during: restartInTheMiddle },
      within(60_000),
    );
    const delivered = await readDelivered();
    expect(delivered.map(({ id }) => id)).toEqual(day.orders.map(({ id }) => id).sort());
    for (const row of delivered) {
      const order = day.orders.find(({ id }) => id === row.id)!;
      const cooking = (order.readyAtMinute - order.placedAtMinute) * msPerMinute;
      expect(Math.abs(row.ready_ms - row.placed_ms - cooking)).toBeLessThanOrEqual(1);
      expect(row.picked_up_ms).toBeGreaterThanOrEqual(row.ready_ms);
      const toDoor = doorMinutes(day, row.id) * msPerMinute;
      expect(Math.abs(row.delivered_ms - row.picked_up_ms - toDoor)).toBeLessThanOrEqual(1);
    }
    const [open] = await database.sql("SELECT COUNT(*) AS count FROM assignment WHERE state = 'active'");
    expect(Number(open!["count"])).toBe(0);
  }, 90_000);

  test("is summed up in minutes of the day, from the rows alone", async () => {
    const speed = 60;
    await database.sql(
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at, status, picked_up_at, delivered_at)
       VALUES ('${CITY}', 'o1', 's', 0, 0, '2026-01-01 12:00:00', '2026-01-01 12:00:10', 'delivered', '2026-01-01 12:00:12', '2026-01-01 12:00:30'),
              ('${CITY}', 'o2', 's', 0, 0, '2026-01-01 12:00:00', '2026-01-01 12:00:10', 'delivered', '2026-01-01 12:00:10.500', '2026-01-01 12:00:20'),
              ('${CITY}', 'o3', 's', 0, 0, '2026-01-01 12:00:00', '2026-01-01 12:00:10', 'placed', NULL, NULL),
              ('${CITY}', 'o4', 's', 0, 0, '2026-01-01 12:00:00', '2026-01-01 12:00:10', 'cancelled', NULL, NULL),
              ('elsewhere', 'o1', 's', 0, 0, '2026-01-01 12:00:00', '2026-01-01 12:00:10', 'placed', NULL, NULL)`,
    );
    const summary = await readRecordedSummary(database.open("feed"), { city: CITY, speed }, within());
    expect(summary).toEqual({
      city: CITY,
      orders: 4,
      delivered: 2,
      cancelled: 1,
      undelivered: 1,
      undeliveredPercent: 25,
      clickToDoorMinutes: 25,
      readyToPickupMinutes: 1.25,
      declined: 0,
      reassigned: 0,
      ordersPerBundle: undefined,
    });
  });

  test("that nobody dispatches ends with its shifts, everything undelivered", async () => {
    const day = smallDay({ orders: 5, couriers: 2, offAtMinute: 680 });
    await runCityTraffic(
      {
        city: CITY,
        script: recordedScript(day),
        speed: 1_000,
        feed,
        clock: systemClock,
        log: silentLog,
        pollIntervalMs: 50,
      },
      within(30_000),
    );
    const summary = await readRecordedSummary(database.open("feed"), { city: CITY, speed: 1_000 }, within());
    expect(summary).toMatchObject({ orders: 5, delivered: 0, undelivered: 5, clickToDoorMinutes: undefined });
  }, 60_000);
});

describe("a synthetic city", () => {
  const script = (orderPrefix: string): CityScript =>
    syntheticScript({ city: syntheticCity(CITY), seed, startMs: SYNTHETIC_START_MS, orderPrefix });

  test("lives: orders come, couriers deliver, nothing is delivered twice", async () => {
    await play({ script: script("a-"), speed: 400 }, within(8_000));
    const [counts] = await database.sql(
      `SELECT COUNT(*) AS orders, COUNT(IF(status = 'delivered', 1, NULL)) AS delivered,
              (SELECT COUNT(*) FROM assignment WHERE state = 'delivered') AS deliveries,
              (SELECT COUNT(DISTINCT order_id) FROM assignment WHERE state = 'delivered') AS delivered_once
         FROM orders`,
    );
    const [orders, delivered] = [Number(counts!["orders"]), Number(counts!["delivered"])];
    expect({ seed, orders, enough: orders > 20 }).toMatchObject({ enough: true });
    expect({ seed, delivered, enough: delivered > 5 }).toMatchObject({ enough: true });
    expect({ seed, deliveries: Number(counts!["deliveries"]) }).toEqual({ seed, deliveries: delivered });
    expect({ seed, once: Number(counts!["delivered_once"]) }).toEqual({ seed, once: delivered });
  }, 60_000);

  test("shows its open orders, couriers on shift and deliveries, and the oldest order without a courier", async () => {
    await play({ script: script("a-"), speed: 400 }, within(4_000));
    await database.sql(
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
       VALUES ('${CITY}', 'forgotten', 's1', 0, 0, UTC_TIMESTAMP(3) - INTERVAL 100 SECOND, UTC_TIMESTAMP(3))`,
    );
    const [row] = await database.sql(
      `SELECT COUNT(IF(status = 'placed', 1, NULL)) AS open, COUNT(IF(status = 'delivered', 1, NULL)) AS delivered FROM orders`,
    );
    const views = await readCityTraffic(database.open("operator"), within());
    expect(views).toHaveLength(1);
    const [view] = views;
    expect(view).toMatchObject({
      city: CITY,
      openOrders: Number(row!["open"]),
      delivered: Number(row!["delivered"]),
    });
    expect(view!.oldestUnassignedSeconds).toBeGreaterThanOrEqual(100);
    expect(view!.oldestUnassignedSeconds).toBeLessThan(110);
    expect(view!.couriersOnShift).toBeGreaterThan(10);
  }, 60_000);

  test("closes what an earlier process left open, and goes on with orders of its own", async () => {
    await play({ script: script("a-"), speed: 400 }, within(4_000));
    const [before] = await database.sql(
      "SELECT COUNT(*) AS count FROM orders WHERE status IN ('placed', 'picked_up')",
    );
    expect(Number(before!["count"])).toBeGreaterThan(0);
    const closed = await feed.endEarlierRun(CITY, within());
    expect(closed.orders).toBe(Number(before!["count"]));
    const left = await database.sql(
      `SELECT 'order' AS what FROM orders WHERE status IN ('placed', 'picked_up')
       UNION ALL SELECT 'assignment' FROM assignment WHERE state = 'active'
       UNION ALL SELECT 'courier' FROM available_couriers`,
    );
    expect(left).toEqual([]);
    await play({ script: script("b-"), speed: 400 }, within(4_000));
    const [after] = await database.sql("SELECT COUNT(*) AS count FROM orders WHERE id LIKE 'b-%'");
    expect(Number(after!["count"])).toBeGreaterThan(5);
  }, 60_000);
});
