-- What the dispatch needs to bundle, and to tell a bicycle from a car. Processes of the version before neither read nor
-- write these columns, and their rows are right by the defaults. Each table is changed at once and without a copy; MySQL
-- commits every DDL statement at once, so a migration that was killed here comes back: it asks first.

-- Kinds of vehicle that may carry the order, as a JSON array of what `couriers.vehicle` says; NULL: any.
SET @add_order_vehicles = IF(
  EXISTS (SELECT 1 FROM information_schema.columns
           WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'vehicles'),
  'DO 0',
  'ALTER TABLE orders ADD COLUMN vehicles JSON NULL AFTER ready_at, ALGORITHM = INSTANT')
;;
PREPARE add_order_vehicles FROM @add_order_vehicles
;;
EXECUTE add_order_vehicles
;;
DEALLOCATE PREPARE add_order_vehicles
;;

-- Kind of vehicle, such as 'bicycle'; '': the company does not say.
SET @add_courier_vehicle = IF(
  EXISTS (SELECT 1 FROM information_schema.columns
           WHERE table_schema = DATABASE() AND table_name = 'couriers' AND column_name = 'vehicle'),
  'DO 0',
  'ALTER TABLE couriers
     ADD COLUMN vehicle VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '''' AFTER capacity,
     ALGORITHM = INSTANT')
;;
PREPARE add_courier_vehicle FROM @add_courier_vehicle
;;
EXECUTE add_courier_vehicle
;;
DEALLOCATE PREPARE add_courier_vehicle
;;

-- Which door of its bundle is this order's: 1, 2, 3. A bundle is what one tick gave to one courier.
SET @add_assignment_stop = IF(
  EXISTS (SELECT 1 FROM information_schema.columns
           WHERE table_schema = DATABASE() AND table_name = 'assignment' AND column_name = 'stop'),
  'DO 0',
  'ALTER TABLE assignment
     ADD COLUMN stop TINYINT UNSIGNED NOT NULL DEFAULT 1 AFTER courier_id, ALGORITHM = INSTANT')
;;
PREPARE add_assignment_stop FROM @add_assignment_stop
;;
EXECUTE add_assignment_stop
;;
DEALLOCATE PREPARE add_assignment_stop
;;
