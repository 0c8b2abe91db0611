import type { TestDatabase } from "../../support/mysql.ts";

/** One commit: its number, from 0 in each city, tells which orders it is about. */
export type Batch = { readonly city: string; readonly number: number; readonly decisions: readonly Pair[] };

export type Pair = { readonly order: string; readonly courier: string };

const COURIERS = 500;
const NUMBERS_MAX = 100_000;

export function cityOf(connection: number): string {
  return `city-${connection}`;
}

export function batchOf(city: string, number: number, size: number): Batch {
  const decisions = Array.from({ length: size }, (_, index) => {
    const place = number * size + index;
    return { order: `o${place}`, courier: `c${place % COURIERS}` };
  });
  return { city, number, decisions };
}

/** Cities with so many open orders each, and couriers who may have all of them. */
export async function fillCities(db: TestDatabase, ordersOf: ReadonlyMap<string, number>): Promise<void> {
  const connection = await db.connect();
  await connection.query(`SET SESSION cte_max_recursion_depth = ${NUMBERS_MAX}`);
  await connection.query("CREATE TABLE number (n INT UNSIGNED NOT NULL PRIMARY KEY)");
  await connection.query(
    "INSERT INTO number WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < ?) SELECT n FROM s",
    [Math.max(COURIERS, ...ordersOf.values())],
  );
  for (const [city, orders] of ordersOf) {
    await connection.query(
      `INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at)
       SELECT ?, CONCAT('c', n), 40.4, -3.7, UTC_TIMESTAMP(3), 1000000, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 DAY
         FROM number WHERE n < ?`,
      [city, COURIERS],
    );
    await connection.query(
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
       SELECT ?, CONCAT('o', n), 's', 40.4, -3.7, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM number WHERE n < ?`,
      [city, orders],
    );
  }
}

/** Lets every order be open again. */
export async function forgetAssignments(db: TestDatabase): Promise<void> {
  await db.sql("TRUNCATE TABLE assignment");
}
