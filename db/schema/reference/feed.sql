-- What the company's own services call when a courier or a customer acts. Each is one transaction and returns one row:
-- outcome `done`, also when it had been done before, or `ignored` when the world has moved on (the order is cancelled, or
-- with somebody else). Locks are taken in one order: orders, assignment, couriers. On a deadlock (1213) call again.
-- `p_at` is when it happened (UTC), for callers that report with a delay; NULL: now.

-- The courier takes the order on, and says when and where everything accepted so far will be done.
CREATE PROCEDURE accept_order(
  IN p_city           VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_order          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_courier        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_free_at        DATETIME(3),
  IN p_free_latitude  DOUBLE,
  IN p_free_longitude DOUBLE
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_status VARCHAR(20);
  DECLARE v_changed INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT status INTO v_status FROM orders WHERE city = p_city AND id = p_order FOR UPDATE;
  SELECT COUNT(*) INTO v_changed FROM assignment
   WHERE city = p_city AND active_order_id = p_order AND courier_id = p_courier AND v_status = 'placed' FOR UPDATE;
  IF v_changed > 0 THEN
    UPDATE assignment SET accepted_at = COALESCE(accepted_at, UTC_TIMESTAMP(3))
     WHERE city = p_city AND active_order_id = p_order AND courier_id = p_courier;
    UPDATE couriers SET free_at = p_free_at, free_latitude = p_free_latitude, free_longitude = p_free_longitude
     WHERE city = p_city AND id = p_courier;
  END IF;
  COMMIT;
  SELECT IF(v_changed > 0, 'done', 'ignored') AS outcome;
END
;;

-- The courier refuses it, or gives it back before pick-up; the dispatch does not offer it to this courier again.
CREATE PROCEDURE decline_order(
  IN p_city    VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_order   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_courier VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_status VARCHAR(20);
  DECLARE v_changed INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT status INTO v_status FROM orders WHERE city = p_city AND id = p_order FOR UPDATE;
  UPDATE assignment SET state = 'declined', ended_at = UTC_TIMESTAMP(3)
   WHERE city = p_city AND active_order_id = p_order AND courier_id = p_courier AND v_status = 'placed';
  SET v_changed = ROW_COUNT();
  IF v_changed > 0 THEN
    CALL free_idle_courier(p_city, p_courier);
  ELSE
    SELECT COUNT(*) INTO v_changed FROM assignment
     WHERE city = p_city AND order_id = p_order AND state = 'declined' AND courier_id = p_courier;
  END IF;
  COMMIT;
  SELECT IF(v_changed > 0, 'done', 'ignored') AS outcome;
END
;;

CREATE PROCEDURE pick_up_order(
  IN p_city    VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_order   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_courier VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_at      DATETIME(3)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_status VARCHAR(20);
  DECLARE v_holds INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT status INTO v_status FROM orders WHERE city = p_city AND id = p_order FOR UPDATE;
  SELECT COUNT(*) INTO v_holds FROM assignment
   WHERE city = p_city AND active_order_id = p_order AND courier_id = p_courier FOR UPDATE;
  IF v_holds > 0 AND v_status = 'placed' THEN
    UPDATE orders SET status = 'picked_up', picked_up_at = COALESCE(p_at, UTC_TIMESTAMP(3))
     WHERE city = p_city AND id = p_order;
    -- Who picks it up has accepted it.
    UPDATE assignment SET accepted_at = COALESCE(accepted_at, UTC_TIMESTAMP(3))
     WHERE city = p_city AND active_order_id = p_order;
  END IF;
  COMMIT;
  SELECT IF(v_holds > 0 AND v_status IN ('placed', 'picked_up'), 'done', 'ignored') AS outcome;
END
;;

CREATE PROCEDURE deliver_order(
  IN p_city    VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_order   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_courier VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_at      DATETIME(3)
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_status VARCHAR(20);
  DECLARE v_changed INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT status INTO v_status FROM orders WHERE city = p_city AND id = p_order FOR UPDATE;
  UPDATE assignment SET state = 'delivered', ended_at = UTC_TIMESTAMP(3)
   WHERE city = p_city AND active_order_id = p_order AND courier_id = p_courier AND v_status = 'picked_up';
  SET v_changed = ROW_COUNT();
  IF v_changed > 0 THEN
    UPDATE orders SET status = 'delivered', delivered_at = COALESCE(p_at, UTC_TIMESTAMP(3))
     WHERE city = p_city AND id = p_order;
    CALL free_idle_courier(p_city, p_courier);
  ELSE
    SELECT COUNT(*) INTO v_changed FROM assignment
     WHERE city = p_city AND order_id = p_order AND state = 'delivered' AND courier_id = p_courier;
  END IF;
  COMMIT;
  SELECT IF(v_changed > 0, 'done', 'ignored') AS outcome;
END
;;

-- Only before pick-up.
CREATE PROCEDURE cancel_order(
  IN p_city  VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_order VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_status VARCHAR(20);
  DECLARE v_courier VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT status INTO v_status FROM orders WHERE city = p_city AND id = p_order FOR UPDATE;
  IF v_status = 'placed' THEN
    UPDATE orders SET status = 'cancelled', cancelled_at = UTC_TIMESTAMP(3) WHERE city = p_city AND id = p_order;
    SELECT courier_id INTO v_courier FROM assignment
     WHERE city = p_city AND active_order_id = p_order FOR UPDATE;
    IF v_courier IS NOT NULL THEN
      UPDATE assignment SET state = 'cancelled', ended_at = UTC_TIMESTAMP(3)
       WHERE city = p_city AND active_order_id = p_order;
      CALL free_idle_courier(p_city, v_courier);
    END IF;
  END IF;
  COMMIT;
  SELECT IF(v_status IN ('placed', 'cancelled'), 'done', 'ignored') AS outcome;
END
;;

-- Used by the procedures above, inside their transactions: a courier without anything left is idle now.
CREATE PROCEDURE free_idle_courier(
  IN p_city    VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_courier VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_active INT;
  -- The lock first, then the count: of two last deliveries at once, the later one sees the earlier one's end.
  SELECT COUNT(*) INTO v_active FROM couriers WHERE city = p_city AND id = p_courier FOR UPDATE;
  SELECT COUNT(*) INTO v_active FROM assignment
   WHERE city = p_city AND state = 'active' AND courier_id = p_courier;
  IF v_active = 0 THEN
    UPDATE couriers SET free_at = NULL, free_latitude = NULL, free_longitude = NULL
     WHERE city = p_city AND id = p_courier;
  END IF;
END
;;
