import type { TestDatabase } from "./mysql.ts";

/** Builders for the rows of a small delivery city, valid by default. */

export type CourierValues = { readonly capacity?: number; readonly shift?: "on" | "over" | "later" };

const SHIFTS = { on: [-60, 60], over: [-120, -1], later: [30, 120] } as const;

/** Adds one store, these orders (placed, ready now) and these couriers. */
export async function fillCity(
  database: TestDatabase,
  city: string,
  rows: {
    readonly orders?: readonly string[];
    readonly couriers?: Readonly<Record<string, CourierValues>> | readonly string[];
  },
): Promise<void> {
  const couriers: Readonly<Record<string, CourierValues>> = Array.isArray(rows.couriers)
    ? Object.fromEntries((rows.couriers as readonly string[]).map((id) => [id, {}]))
    : ((rows.couriers as Readonly<Record<string, CourierValues>> | undefined) ?? {});
  await database.sql(
    `INSERT IGNORE INTO stores (city, id, name, latitude, longitude) VALUES ('${city}', 's1', 'Store', 40.4, -3.7)`,
    ...(rows.orders ?? []).map(
      (order) => `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
        VALUES ('${city}', '${order}', 's1', 40.41, -3.71, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    ),
    ...Object.entries(couriers).map(([courier, { capacity = 2, shift = "on" }]) => {
      const [starts, ends] = SHIFTS[shift];
      return `INSERT INTO couriers
          (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at)
        VALUES ('${city}', '${courier}', 40.42, -3.72, UTC_TIMESTAMP(3), ${capacity},
          UTC_TIMESTAMP(3) + INTERVAL ${starts} MINUTE, UTC_TIMESTAMP(3) + INTERVAL ${ends} MINUTE)`;
    }),
  );
}
