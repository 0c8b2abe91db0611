-- All that a tick computes from, in one round trip: three result sets (fence, open orders, available couriers) of one
-- consistent read. A city with absurdly many rows must not exhaust the worker that holds it, which all its other cities
-- would pay for: the oldest 20,000 orders and 50,000 couriers are read, and one row more tells that there are more. Reads
-- the two views of the data contract, so it serves a company's own schema as it is.
CREATE PROCEDURE read_snapshot(
  IN p_city VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
  START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
  SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms,
         f.epoch, f.token, f.holder, f.tick, BIN_TO_UUID(f.commit_id) AS commit_id
    FROM (SELECT 1) AS always LEFT JOIN city_fence f ON f.city = p_city;
  SELECT order_id, store_id, store_latitude, store_longitude, latitude, longitude, placed_at, ready_at, vehicles,
         courier_id, assigned_at, accepted_at, reassignments, declined_by
    FROM open_orders WHERE city = p_city ORDER BY placed_at, order_id LIMIT 20001;
  SELECT courier_id, latitude, longitude, position_at, vehicle, capacity, active_load, unacknowledged, free_at,
         free_latitude, free_longitude, shift_ends_at
    FROM available_couriers WHERE city = p_city LIMIT 50001;
  COMMIT;
END
;;
