-- A company whose tables are not ours: numbers for ids, times as seconds since 1970, places as numbers, rows that are marked as
-- deleted and stay, and `legs` where we have assignments. First its own tables, then the two views and the one procedure of
-- the data contract over them. A test runs the product on exactly this file.
--
--   mysql --delimiter=';;' -h … -u … dispatch < own-schema.sql

CREATE TABLE shops (
  shop_id    INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  town       VARCHAR(40) NOT NULL,
  lat        DECIMAL(9, 6) NOT NULL,
  lon        DECIMAL(9, 6) NOT NULL,
  deleted_at INT UNSIGNED NULL
)
;;

CREATE TABLE riders (
  rider_id   INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  town       VARCHAR(40) NOT NULL,
  kind       ENUM ('bike', 'car') NOT NULL,
  slots      TINYINT UNSIGNED NOT NULL,
  lat        DECIMAL(9, 6) NOT NULL,
  lon        DECIMAL(9, 6) NOT NULL,
  seen_at    INT UNSIGNED NOT NULL,
  works_from INT UNSIGNED NOT NULL,
  works_to   INT UNSIGNED NOT NULL,
  deleted_at INT UNSIGNED NULL,
  KEY at_work (town, works_to)
)
;;

-- stage: 0 nobody's, 1 with a rider, 2 picked up, 3 at the door, 9 called off
CREATE TABLE deliveries (
  delivery_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  town        VARCHAR(40) NOT NULL,
  shop_id     INT UNSIGNED NOT NULL,
  lat         DECIMAL(9, 6) NOT NULL,
  lon         DECIMAL(9, 6) NOT NULL,
  is_bulky    BOOLEAN NOT NULL DEFAULT FALSE,
  ordered_at  INT UNSIGNED NOT NULL,
  cooked_at   INT UNSIGNED NOT NULL,
  stage       TINYINT UNSIGNED NOT NULL DEFAULT 0,
  deleted_at  INT UNSIGNED NULL,
  KEY by_stage (town, stage)
)
;;

-- how: 0 open, 1 done, 2 refused by the rider, 3 taken away by the dispatch
CREATE TABLE legs (
  leg_id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  delivery_id   BIGINT UNSIGNED NOT NULL,
  rider_id      INT UNSIGNED NOT NULL,
  door          TINYINT UNSIGNED NOT NULL,
  tick          BIGINT UNSIGNED NOT NULL,
  given_at      INT UNSIGNED NOT NULL,
  confirmed_at  INT UNSIGNED NULL,
  how           TINYINT UNSIGNED NOT NULL DEFAULT 0,
  open_delivery BIGINT UNSIGNED GENERATED ALWAYS AS (IF(how = 0, delivery_id, NULL)) STORED NULL,
  -- Two open legs of one delivery are impossible, whoever writes.
  UNIQUE KEY one_open (open_delivery),
  KEY by_delivery (delivery_id, how),
  KEY by_rider (rider_id, how, confirmed_at)
)
;;

-- FROM_UNIXTIME gives the session's time: the sessions of the product are in UTC, and so are its views.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW open_orders AS
SELECT d.town                         AS city,
       d.delivery_id                  AS order_id,
       d.shop_id                      AS store_id,
       s.lat                          AS store_latitude,
       s.lon                          AS store_longitude,
       d.lat                          AS latitude,
       d.lon                          AS longitude,
       FROM_UNIXTIME(d.ordered_at)    AS placed_at,
       FROM_UNIXTIME(d.cooked_at)     AS ready_at,
       IF(d.is_bulky, JSON_ARRAY('car'), NULL) AS vehicles,
       l.rider_id                     AS courier_id,
       FROM_UNIXTIME(l.given_at)      AS assigned_at,
       FROM_UNIXTIME(l.confirmed_at)  AS accepted_at,
       (SELECT COUNT(*) FROM legs t WHERE t.delivery_id = d.delivery_id AND t.how = 3) AS reassignments,
       (SELECT JSON_ARRAYAGG(CAST(r.rider_id AS CHAR)) FROM legs r WHERE r.delivery_id = d.delivery_id AND r.how = 2) AS declined_by
  FROM deliveries d
  JOIN shops s ON s.shop_id = d.shop_id
  LEFT JOIN legs l ON l.open_delivery = d.delivery_id
 WHERE d.stage IN (0, 1) AND d.deleted_at IS NULL
;;

-- This company's app does not say when a rider will be free, so only those without a leg are free to take one.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW available_couriers AS
SELECT r.town                     AS city,
       r.rider_id                 AS courier_id,
       r.lat                      AS latitude,
       r.lon                      AS longitude,
       FROM_UNIXTIME(r.seen_at)   AS position_at,
       r.kind                     AS vehicle,
       r.slots                    AS capacity,
       l.active_load,
       l.unacknowledged,
       NULL                       AS free_at,
       NULL                       AS free_latitude,
       NULL                       AS free_longitude,
       FROM_UNIXTIME(r.works_to)  AS shift_ends_at
  FROM riders r
  JOIN LATERAL (SELECT COUNT(*) AS active_load, COUNT(*) - COUNT(o.confirmed_at) AS unacknowledged
                  FROM legs o WHERE o.rider_id = r.rider_id AND o.how = 0) l
 WHERE r.works_from <= UNIX_TIMESTAMP() AND r.works_to > UNIX_TIMESTAMP() AND r.deleted_at IS NULL
;;

-- One decision after the other, in the order of the list. The delivery is locked first, as this company's services do.
CREATE PROCEDURE apply_decisions(
  IN p_city      VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_epoch     BIGINT UNSIGNED,
  IN p_token     BIGINT UNSIGNED,
  IN p_tick      BIGINT UNSIGNED,
  IN p_decisions JSON,
  OUT p_dropped  JSON
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_item JSON;
  DECLARE v_position INT DEFAULT 0;
  DECLARE v_delivery, v_rider, v_from, v_holder, v_leg BIGINT UNSIGNED;
  DECLARE v_stage, v_slots TINYINT UNSIGNED;
  DECLARE v_confirmed_at INT UNSIGNED;
  DECLARE v_because VARCHAR(20);

  WHILE v_position < JSON_LENGTH(p_decisions) DO
    SET v_item = JSON_EXTRACT(p_decisions, CONCAT('$[', v_position, ']'));
    SET v_delivery = JSON_VALUE(v_item, '$.order' RETURNING UNSIGNED);
    SET v_rider = JSON_VALUE(v_item, '$.courier' RETURNING UNSIGNED);
    SET v_from = JSON_VALUE(v_item, '$.from' RETURNING UNSIGNED);
    -- A SELECT that finds nothing leaves its variables as they were.
    SET v_stage = NULL, v_leg = NULL, v_holder = NULL, v_confirmed_at = NULL, v_slots = NULL;

    SELECT stage INTO v_stage FROM deliveries
     WHERE delivery_id = v_delivery AND town = p_city AND deleted_at IS NULL FOR UPDATE;
    SELECT leg_id, rider_id, confirmed_at INTO v_leg, v_holder, v_confirmed_at FROM legs
     WHERE open_delivery = v_delivery FOR UPDATE;
    SELECT slots INTO v_slots FROM riders
     WHERE rider_id = v_rider AND town = p_city AND deleted_at IS NULL
       AND works_from <= UNIX_TIMESTAMP() AND works_to > UNIX_TIMESTAMP();

    SET v_because = CASE
      WHEN v_stage IS NULL OR v_stage NOT IN (0, 1) THEN 'order-gone'
      WHEN v_holder = v_rider OR v_holder <> COALESCE(v_from, 0) THEN 'order-taken'
      WHEN v_confirmed_at IS NOT NULL
           AND (SELECT COUNT(*) FROM legs WHERE rider_id = v_holder AND how = 0) > 1 THEN 'order-accepted'
      WHEN v_slots IS NULL THEN 'courier-gone'
      WHEN EXISTS (SELECT 1 FROM legs WHERE delivery_id = v_delivery AND how = 2 AND rider_id = v_rider)
        THEN 'courier-declined'
      WHEN (SELECT COUNT(*) FROM legs WHERE rider_id = v_rider AND how = 0) >= v_slots THEN 'courier-full'
    END;

    IF v_because IS NOT NULL THEN
      SET p_dropped = JSON_ARRAY_APPEND(COALESCE(p_dropped, JSON_ARRAY()), '$', JSON_OBJECT(
        'order', JSON_VALUE(v_item, '$.order'), 'courier', JSON_VALUE(v_item, '$.courier'), 'because', v_because));
    ELSE
      UPDATE legs SET how = 3 WHERE leg_id = v_leg;
      INSERT INTO legs (delivery_id, rider_id, door, tick, given_at)
      VALUES (v_delivery, v_rider, COALESCE(JSON_VALUE(v_item, '$.stop' RETURNING UNSIGNED), 1), p_tick, UNIX_TIMESTAMP());
      UPDATE deliveries SET stage = 1 WHERE delivery_id = v_delivery;
    END IF;
    SET v_position = v_position + 1;
  END WHILE;
END
;;
