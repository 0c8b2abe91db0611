-- Data contract, to read: the orders of a city that are not picked up and not ended.
--
-- Always read with `WHERE city = …`. Plan: a range of `orders.by_status` (city, 'placed'), so ended orders cost nothing
-- however many there are, then one row of `stores` and at most one of `assignment` by unique key. Declines and earlier
-- couriers are ranges of `assignment.by_order` that are empty for nearly every order; for one that nobody has, the earlier
-- couriers are not even looked for.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW open_orders AS
SELECT o.city,
       o.id        AS order_id,
       o.store_id,
       s.latitude  AS store_latitude,
       s.longitude AS store_longitude,
       o.latitude,
       o.longitude,
       o.placed_at,
       o.ready_at,
       -- JSON array of the kinds of vehicle that may carry it, NULL: any.
       o.vehicles,
       -- The courier of the active assignment and since when, NULL: nobody yet; and when that courier accepted it, NULL: not yet.
       a.courier_id,
       a.assigned_at,
       a.accepted_at,
       -- How often it was taken from one courier and given to another.
       IF(a.order_id IS NULL, 0,
          (SELECT COUNT(*)
             FROM assignment r
            WHERE r.city = o.city AND r.order_id = o.id AND r.state = 'reassigned')) AS reassignments,
       -- JSON array of courier ids, NULL: nobody declined.
       (SELECT JSON_ARRAYAGG(d.courier_id)
          FROM assignment d
         WHERE d.city = o.city AND d.order_id = o.id AND d.state = 'declined') AS declined_by
  -- Forced, since the optimizer is tempted to intersect it with the primary key of the whole city.
  FROM orders o FORCE INDEX (by_status)
  JOIN stores s ON s.city = o.city AND s.id = o.store_id
  LEFT JOIN assignment a ON a.city = o.city AND a.active_order_id = o.id
 WHERE o.status = 'placed'
;;
