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
       c.capacity,
       -- Active assignments, and those among them that the courier has not accepted yet.
       l.active_load,
       l.unacknowledged,
       c.free_at,
       c.free_latitude,
       c.free_longitude,
       c.shift_ends_at
  FROM couriers c
  JOIN LATERAL (SELECT COUNT(*) AS active_load, COUNT(*) - COUNT(a.accepted_at) AS unacknowledged
                  FROM assignment a
                 WHERE a.city = c.city AND a.state = 'active' AND a.courier_id = c.id) l
 WHERE c.shift_ends_at > UTC_TIMESTAMP(3) AND c.shift_starts_at <= UTC_TIMESTAMP(3)
;;
