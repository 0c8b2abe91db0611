import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { AVAILABLE_COURIERS_MAX, OPEN_ORDERS_MAX, readSnapshot } from "../../../db/snapshot.ts";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  within,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

let server: TestMysql;
let db: TestDatabase;

beforeAll(async () => {
  server = await startTestMysql();
  db = await freshDatabase(server);
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await db.close();
  await server.close();
});

const numbers = (count: number): string =>
  `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** Orders of which those with the largest number are the oldest, and couriers on shift. */
async function fill(city: string, orders: number, couriers: number): Promise<void> {
  // One session, for the setting.
  const connection = await db.connect();
  await connection.query("SET SESSION cte_max_recursion_depth = 100000");
  await connection.query(
    `INSERT INTO stores (city, id, name, latitude, longitude) VALUES ('${city}', 's', 'Store', 40, -3)`,
  );
  await connection.query(
    `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at) ${numbers(orders)}
     SELECT '${city}', CONCAT('o', i), 's', 40, -3, UTC_TIMESTAMP(3) - INTERVAL i SECOND, UTC_TIMESTAMP(3) FROM n`,
  );
  await connection.query(
    `INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at) ${numbers(couriers)}
     SELECT '${city}', CONCAT('c', i), 40, -3, UTC_TIMESTAMP(3), 1, UTC_TIMESTAMP(3) - INTERVAL 1 HOUR,
            UTC_TIMESTAMP(3) + INTERVAL 1 HOUR FROM n`,
  );
}

test("a snapshot of a city with absurdly many rows holds the oldest orders, and says that it is cut", async () => {
  await fill("madrid", OPEN_ORDERS_MAX + 5, 3);
  const snapshot = await readSnapshot(db.open("worker"), "madrid", within());
  expect([snapshot.orders.length, snapshot.couriers.length]).toEqual([OPEN_ORDERS_MAX, 3]);
  expect(snapshot.isCut).toBe(true);
  const ids = new Set(snapshot.orders.map(({ orderId }) => orderId));
  // The five youngest are left out.
  expect(["o1", "o5", "o6", `o${OPEN_ORDERS_MAX + 5}`].map((id) => ids.has(id))).toEqual([
    false,
    false,
    true,
    true,
  ]);
}, 60_000);

test("a snapshot holds no more couriers than the maximum, and is not cut at the maximum", async () => {
  await fill("paris", OPEN_ORDERS_MAX, AVAILABLE_COURIERS_MAX);
  const whole = await readSnapshot(db.open("worker"), "paris", within());
  expect([whole.orders.length, whole.couriers.length]).toEqual([OPEN_ORDERS_MAX, AVAILABLE_COURIERS_MAX]);
  expect(whole.isCut).toBe(false);
  await db.sql(`INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at)
    SELECT city, 'one-more', latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at FROM couriers WHERE city = 'paris' AND id = 'c1'`);
  const cut = await readSnapshot(db.open("worker"), "paris", within());
  expect(cut.couriers).toHaveLength(AVAILABLE_COURIERS_MAX);
  expect(cut.isCut).toBe(true);
}, 60_000);
