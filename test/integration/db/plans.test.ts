import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Connection, RowDataPacket } from "mysql2/promise";
import {
  freshDatabase,
  MYSQL_START_LIMIT_MS,
  startTestMysql,
  type TestDatabase,
  type TestMysql,
} from "../../support/mysql.ts";

/**
 * What is read several times a second for every city costs as much as there is to do, not as much as ever was done: a city
 * with a long history, among others, whose statistics are up to date.
 */

let server: TestMysql;
let db: TestDatabase;
let connection: Connection;

const PAST_ORDERS = 6_000;
const OPEN_ORDERS = 60;

beforeAll(async () => {
  server = await startTestMysql();
  db = await freshDatabase(server);
  connection = await db.connect();
  await connection.query("SET SESSION cte_max_recursion_depth = 100000");
  for (const city of ["madrid", "paris", "rome"]) await fill(city);
  await connection.query("ANALYZE TABLE stores, couriers, orders, assignment");
}, MYSQL_START_LIMIT_MS);
afterAll(async () => {
  await db.close();
  await server.close();
});

const numbers = (count: number): string =>
  `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** Mostly delivered orders, each tenth once declined or taken away; half of the open ones have a courier. */
async function fill(city: string): Promise<void> {
  const orders = PAST_ORDERS + OPEN_ORDERS;
  await connection.query(
    `INSERT INTO stores (city, id, name, latitude, longitude) ${numbers(50)}
     SELECT '${city}', CONCAT('s', i), 'Store', 40, -3 FROM n`,
  );
  await connection.query(
    `INSERT INTO couriers (city, id, latitude, longitude, position_at, vehicle, capacity, shift_starts_at, shift_ends_at)
     ${numbers(1_000)}
     SELECT '${city}', CONCAT('c', i), 40, -3, UTC_TIMESTAMP(3), 'bicycle', 3, UTC_TIMESTAMP(3) - INTERVAL 9 HOUR,
            UTC_TIMESTAMP(3) + INTERVAL IF(i <= 100, 1, -1) HOUR FROM n`,
  );
  await connection.query(
    `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at, status) ${numbers(orders)}
     SELECT '${city}', CONCAT('o', i), CONCAT('s', 1 + i % 50), 40, -3, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3),
            IF(i <= ${OPEN_ORDERS}, 'placed', 'delivered') FROM n`,
  );
  await connection.query(
    `INSERT INTO assignment (city, tick, order_id, courier_id, state, assigned_at) ${numbers(orders)}
     SELECT '${city}', i, CONCAT('o', i), CONCAT('c', 1 + i % 100),
            IF(i <= ${OPEN_ORDERS / 2}, 'active', IF(i % 10 = 0, 'declined', IF(i % 10 = 1, 'reassigned', 'delivered'))),
            UTC_TIMESTAMP(3) FROM n WHERE i <= ${OPEN_ORDERS / 2} OR i > ${OPEN_ORDERS}`,
  );
}

/** "table key" per step of the plan, and the rows that are expected to be read in each. */
async function planOf(sql: string): Promise<readonly { step: string; access: string; rows: number }[]> {
  const [rows] = await connection.query<RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${sql}`);
  return rows
    .filter((row) => !String(row["table"]).startsWith("<"))
    .map((row) => ({
      step: `${row["table"]} ${row["key"]}`,
      access: String(row["type"]),
      rows: Number(row["rows"]),
    }));
}

/** Rows that the server really read for the statement, indexes included. */
async function readsOf(sql: string): Promise<number> {
  await connection.query("FLUSH STATUS");
  await connection.query(sql);
  const [rows] = await connection.query<RowDataPacket[]>(
    "SHOW SESSION STATUS WHERE variable_name IN ('Handler_read_next', 'Handler_read_key', 'Handler_read_rnd_next')",
  );
  return rows.reduce((sum, row) => sum + Number(row["Value"]), 0);
}

describe("the views of the data contract", () => {
  test("reach open orders by their status, and all that belongs to them by keys", async () => {
    const sql = "SELECT * FROM open_orders WHERE city = 'madrid' ORDER BY placed_at, order_id LIMIT 20001";
    const plan = await planOf(sql);
    expect(plan.map(({ step }) => step).toSorted()).toEqual([
      "a one_active_per_order",
      "d by_order",
      "o by_status",
      "r by_order",
      "s PRIMARY",
    ]);
    expect(plan.filter(({ access }) => access === "ALL" || access === "index")).toEqual([]);
    expect(await readsOf(sql)).toBeLessThan(12 * OPEN_ORDERS);
  });

  test("reach couriers on shift by the end of it, and their loads by one covering key", async () => {
    const sql = "SELECT * FROM available_couriers WHERE city = 'madrid' LIMIT 50001";
    const plan = await planOf(sql);
    expect(plan.map(({ step }) => step).toSorted()).toEqual(["a by_courier", "c on_shift"]);
    expect(plan.filter(({ access }) => access === "ALL" || access === "index")).toEqual([]);
    expect(await readsOf(sql)).toBeLessThan(10 * 100);
  });
});
