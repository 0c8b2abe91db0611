-- Data contract, to read: the couriers of a city that are on shift now, with their load.
--
-- Always read with `WHERE city = …`. Plan: a range of `couriers.on_shift`, and per courier a range of
-- `assignment.by_courier`, which covers both counts.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW available_couriers AS
SELECT c.city,
       c.id AS courier_id,
       c.latitude,
       c.longitude,
       c.position_at,
       c.vehicle,
       c.capacity,
       -- Active assignments, and those among them that the courier has not accepted yet.
       l.active_load,
       l.unacknowledged,
       -- Whoever has nothing to do is free, also one from whom the last order has just been taken: that the courier's row
       -- still says otherwise until the app reports again does not count, so a commit needs to lock no courier.
       IF(l.active_load = 0, NULL, c.free_at)        AS free_at,
       IF(l.active_load = 0, NULL, c.free_latitude)  AS free_latitude,
       IF(l.active_load = 0, NULL, c.free_longitude) AS free_longitude,
       c.shift_ends_at
  FROM couriers c
  JOIN LATERAL (SELECT COUNT(*) AS active_load, COUNT(*) - COUNT(a.accepted_at) AS unacknowledged
                  FROM assignment a
                 WHERE a.city = c.city AND a.state = 'active' AND a.courier_id = c.id) l
 WHERE c.shift_ends_at > UTC_TIMESTAMP(3) AND c.shift_starts_at <= UTC_TIMESTAMP(3)
;;
