-- Data contract, to write: called by `commit_tick` inside its transaction, with the fence locked and checked. It must not
-- commit or roll back. A decision whose precondition no longer holds is dropped and reported, the others stand, also
-- those of the same bundle: with an order less, the others reach their doors no later.
--   order-gone       the order does not exist, or is picked up, delivered or cancelled
--   order-taken      it is with another courier than the decision takes it from, it is with this courier already, or an
--                    earlier decision of the same list has it
--   order-accepted   the courier it was to be taken from has accepted it, and has other orders besides
--   courier-gone     the courier does not exist or is not on shift
--   courier-declined the courier has declined this order
--   courier-full     one more would exceed the capacity
-- An order is taken from its courier while that courier has not accepted it, or has nothing else to do. If nobody has it
-- any more, it need not be taken from anybody. Epoch, token and tick are for companies that want to store them.
CREATE PROCEDURE apply_decisions(
  IN p_city      VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_epoch     BIGINT UNSIGNED,
  IN p_token     BIGINT UNSIGNED,
  IN p_tick      BIGINT UNSIGNED,
  -- [{"order": "o1", "courier": "c7", "stop": 1, "from": null}, …]: `stop` is which door of the courier's bundle is the
  -- order's, 1 where it is missing; `from` is the courier who has the order, null or missing: nobody.
  IN p_decisions JSON,
  -- [{"order": …, "courier": …, "because": …}], NULL: none.
  OUT p_dropped  JSON
)
SQL SECURITY DEFINER
main: BEGIN
  DECLARE v_rows JSON;
  DECLARE v_sent INT UNSIGNED DEFAULT JSON_LENGTH(p_decisions);
  DECLARE v_possible INT UNSIGNED;

  -- Nearly always every decision is possible and takes nothing from anybody: then two statements do, insert and look. Orders
  -- are locked, so a cancellation is either seen here or waits for our end. What cannot be inserted (the order is gone, has an
  -- active assignment, or is in the list twice) is left out, and shows in the count.
  IF JSON_SEARCH(p_decisions, 'one', '%', NULL, '$[*].from') IS NULL THEN
    INSERT IGNORE INTO assignment (city, tick, order_id, courier_id, stop, assigned_at)
    SELECT p_city, p_tick, d.order_id, d.courier_id, COALESCE(d.stop, 1), UTC_TIMESTAMP(3)
      FROM JSON_TABLE(p_decisions, '$[*]' COLUMNS (
             order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
             courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
             stop       TINYINT UNSIGNED PATH '$.stop')) d
      STRAIGHT_JOIN orders o ON o.city = p_city AND o.id = d.order_id
     WHERE o.status = 'placed'
       FOR UPDATE OF o;
    SET v_possible = ROW_COUNT();
    IF v_possible = v_sent THEN
      -- Couriers are read as they are committed and not locked: their services write positions all the time. A shift that
      -- ends or a load that falls meanwhile counts as having happened just after us; only this procedure raises a load.
      SELECT COUNT(*) INTO v_possible
        FROM assignment n
        STRAIGHT_JOIN couriers c ON c.city = p_city AND c.id = n.courier_id
       WHERE n.city = p_city AND n.tick = p_tick
         AND c.shift_starts_at <= UTC_TIMESTAMP(3) AND c.shift_ends_at > UTC_TIMESTAMP(3)
         AND (SELECT COUNT(*) FROM assignment a
               WHERE a.city = p_city AND a.state = 'active' AND a.courier_id = n.courier_id) <= c.capacity
         AND (SELECT COUNT(*) FROM assignment a
               WHERE a.city = p_city AND a.order_id = n.order_id AND a.state = 'declined'
                 AND a.courier_id = n.courier_id) = 0;
      IF v_possible = v_sent THEN LEAVE main; END IF;
    END IF;
    DELETE FROM assignment WHERE city = p_city AND tick = p_tick;
  END IF;

  -- Otherwise one by one. Who has the order counts, not who was thought to. Loads are not locked: others can only lower them.
  SELECT JSON_ARRAYAGG(JSON_OBJECT(
           'position', d.position, 'order', d.order_id, 'courier', d.courier_id, 'stop', COALESCE(d.stop, 1),
           'from', a.courier_id,
           'because', CASE WHEN o.id IS NULL OR o.status <> 'placed' THEN 'order-gone'
                           WHEN a.courier_id = d.courier_id OR a.courier_id <> COALESCE(d.from_id, '') THEN 'order-taken'
                           WHEN a.accepted_at IS NOT NULL
                                AND (SELECT COUNT(*) FROM assignment l
                                      WHERE l.city = p_city AND l.state = 'active' AND l.courier_id = a.courier_id) > 1
                             THEN 'order-accepted' END))
    INTO v_rows
    FROM JSON_TABLE(p_decisions, '$[*]' COLUMNS (
           position   FOR ORDINALITY,
           order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
           courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
           stop       TINYINT UNSIGNED PATH '$.stop',
           from_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.from')) d
    LEFT JOIN orders o ON o.city = p_city AND o.id = d.order_id
    LEFT JOIN assignment a ON a.city = p_city AND a.active_order_id = d.order_id
     FOR UPDATE OF o, a;

  SELECT JSON_ARRAYAGG(JSON_OBJECT(
           'position', d.position, 'order', d.order_id, 'courier', d.courier_id, 'stop', d.stop, 'from', d.from_id,
           'capacity', c.capacity,
           'load', (SELECT COUNT(*) FROM assignment a
                     WHERE a.city = p_city AND a.state = 'active' AND a.courier_id = d.courier_id),
           'because', CASE WHEN d.because IS NOT NULL THEN d.because
                           WHEN c.id IS NULL OR UTC_TIMESTAMP(3) < c.shift_starts_at
                                OR UTC_TIMESTAMP(3) >= c.shift_ends_at THEN 'courier-gone'
                           WHEN EXISTS (SELECT 1 FROM assignment a
                                         WHERE a.city = p_city AND a.order_id = d.order_id AND a.state = 'declined'
                                           AND a.courier_id = d.courier_id) THEN 'courier-declined' END))
    INTO v_rows
    FROM JSON_TABLE(v_rows, '$[*]' COLUMNS (
           position   INT UNSIGNED PATH '$.position',
           order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
           courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
           stop       TINYINT UNSIGNED PATH '$.stop',
           from_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.from',
           because    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PATH '$.because')) d
    LEFT JOIN couriers c ON c.city = p_city AND c.id = d.courier_id;

  -- Loads within the list: what a courier gives away in it makes room, unless somebody is asked for too much. Then the
  -- list is judged as if nobody gave anything away, since the decision that would have made the room may itself go.
  WITH decision AS (
    SELECT d.*, ROW_NUMBER() OVER (PARTITION BY order_id, because IS NULL ORDER BY position) AS nth
      FROM JSON_TABLE(v_rows, '$[*]' COLUMNS (
             position   INT UNSIGNED PATH '$.position',
             order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
             courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
             stop       TINYINT UNSIGNED PATH '$.stop',
             from_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.from',
             capacity   INT PATH '$.capacity',
             active     INT PATH '$.load',
             because    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PATH '$.because')) d
  ), possible AS (
    SELECT * FROM decision WHERE because IS NULL AND nth = 1
  ), counted AS (
    SELECT p.*,
           ROW_NUMBER() OVER (PARTITION BY courier_id ORDER BY stop, position) AS courier_nth,
           COUNT(*) OVER (PARTITION BY courier_id) AS incoming,
           (SELECT COUNT(*) FROM possible q WHERE q.from_id = p.courier_id) AS outgoing
      FROM possible p
  ), judged AS (
    SELECT counted.*, MAX(active + incoming - outgoing > capacity) OVER () AS is_overfull FROM counted
  )
  SELECT JSON_ARRAYAGG(JSON_OBJECT(
           'order', d.order_id, 'courier', d.courier_id, 'stop', d.stop, 'from', d.from_id,
           'because', CASE WHEN d.because IS NOT NULL THEN d.because
                           WHEN d.nth > 1 THEN 'order-taken'
                           WHEN j.is_overfull AND j.active + j.courier_nth > j.capacity THEN 'courier-full' END))
    INTO v_rows
    FROM decision d LEFT JOIN judged j ON j.position = d.position;

  IF JSON_SEARCH(v_rows, 'one', '%', NULL, '$[*].from') IS NOT NULL THEN
    UPDATE JSON_TABLE(v_rows, '$[*]' COLUMNS (
             order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
             from_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.from',
             because  VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PATH '$.because')) d
      STRAIGHT_JOIN assignment a ON a.city = p_city AND a.active_order_id = d.order_id
       SET a.state = 'reassigned', a.ended_at = UTC_TIMESTAMP(3)
     WHERE d.because IS NULL AND d.from_id IS NOT NULL;
  END IF;

  INSERT INTO assignment (city, tick, order_id, courier_id, stop, assigned_at)
  SELECT p_city, p_tick, d.order_id, d.courier_id, d.stop, UTC_TIMESTAMP(3)
    FROM JSON_TABLE(v_rows, '$[*]' COLUMNS (
           order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
           courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
           stop       TINYINT UNSIGNED PATH '$.stop',
           because    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PATH '$.because')) d
   WHERE d.because IS NULL;

  IF JSON_SEARCH(v_rows, 'one', '%', NULL, '$[*].because') IS NOT NULL THEN
    SELECT JSON_ARRAYAGG(JSON_OBJECT('order', d.order_id, 'courier', d.courier_id, 'because', d.because))
      INTO p_dropped
      FROM JSON_TABLE(v_rows, '$[*]' COLUMNS (
             order_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.order',
             courier_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$.courier',
             because    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PATH '$.because')) d
     WHERE d.because IS NOT NULL;
  END IF;
END
;;
