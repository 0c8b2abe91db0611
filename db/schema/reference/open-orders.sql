-- Data contract, to read: the orders of a city that are not picked up and not ended.
--
-- Always read with `WHERE city = …`. Plan: a range of `orders.by_status` (city, 'placed'), so ended orders cost nothing
-- however many there are, then one row of `stores` and at most one of `assignment` by unique key, and for the
-- declines a range of `assignment.by_order` that is empty for nearly every order.
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
       -- The courier of the active assignment, NULL: nobody yet; and when that courier accepted it, NULL: not yet.
       a.courier_id,
       a.accepted_at,
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
