import type { TestDatabase } from "./mysql.ts";

/** What the reference schema was before orders had vehicles and assignments had stops, for migrations to start from. */
const PREVIOUS_SCHEMA = [
  "ALTER TABLE orders DROP COLUMN vehicles",
  "ALTER TABLE couriers DROP COLUMN vehicle",
  "ALTER TABLE assignment DROP COLUMN stop",
  `CREATE OR REPLACE SQL SECURITY DEFINER VIEW open_orders AS
   SELECT o.city, o.id AS order_id, o.store_id, s.latitude AS store_latitude, s.longitude AS store_longitude, o.latitude,
          o.longitude, o.placed_at, o.ready_at, a.courier_id, a.accepted_at, NULL AS declined_by
     FROM orders o JOIN stores s ON s.city = o.city AND s.id = o.store_id
     LEFT JOIN assignment a ON a.city = o.city AND a.active_order_id = o.id
    WHERE o.status = 'placed'`,
  `CREATE OR REPLACE SQL SECURITY DEFINER VIEW available_couriers AS
   SELECT c.city, c.id AS courier_id, c.latitude, c.longitude, c.position_at, c.capacity, 0 AS active_load,
          0 AS unacknowledged, c.free_at, c.free_latitude, c.free_longitude, c.shift_ends_at
     FROM couriers c`,
  "DROP PROCEDURE apply_decisions",
  `CREATE PROCEDURE apply_decisions(
     IN p_city VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin, IN p_epoch BIGINT UNSIGNED, IN p_token BIGINT UNSIGNED,
     IN p_tick BIGINT UNSIGNED, IN p_decisions JSON, OUT p_dropped JSON)
   SQL SECURITY DEFINER
   INSERT INTO assignment (city, tick, order_id, courier_id, assigned_at)
   SELECT p_city, p_tick, d.order_id, d.courier_id, UTC_TIMESTAMP(3)
     FROM JSON_TABLE(p_decisions, '$[*]' COLUMNS (
            order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
            courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier')) d`,
  "DROP PROCEDURE read_snapshot",
  `CREATE PROCEDURE read_snapshot(IN p_city VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin)
   SQL SECURITY DEFINER
   BEGIN
     SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms,
            f.epoch, f.token, f.holder, f.tick, BIN_TO_UUID(f.commit_id) AS commit_id
       FROM (SELECT 1) AS always LEFT JOIN city_fence f ON f.city = p_city;
     SELECT order_id, store_id, store_latitude, store_longitude, latitude, longitude, placed_at, ready_at, courier_id,
            accepted_at, declined_by
       FROM open_orders WHERE city = p_city ORDER BY placed_at, order_id LIMIT 20001;
     SELECT courier_id, latitude, longitude, position_at, capacity, active_load, unacknowledged, free_at, free_latitude,
            free_longitude, shift_ends_at
       FROM available_couriers WHERE city = p_city LIMIT 50001;
   END`,
];

/** Takes the database back to it, as an earlier version's migration had left it. */
export async function takeBackToPreviousSchema(db: TestDatabase): Promise<void> {
  await db.sql(
    ...PREVIOUS_SCHEMA,
    `GRANT EXECUTE ON PROCEDURE read_snapshot TO \`${db.name}_worker\`@'%'`,
    "DELETE FROM schema_version WHERE name = 'reference/002-vehicles-and-stops.sql'",
    `UPDATE schema_version SET digest = REPEAT('0', 64)
      WHERE name IN ('reference/open-orders.sql', 'reference/available-couriers.sql', 'reference/apply-decisions.sql',
                     'protocol/read-snapshot.sql')`,
  );
}
