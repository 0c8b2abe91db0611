-- Raises the fence of a city to the caller's token: from then on no earlier holder can commit. The same token again by
-- the same holder is `claimed` again, so a lost answer is asked for once more.
--
-- Returns one row: outcome (claimed | behind | foreign), and for `claimed` the epoch, the last tick with its slot, period
-- and commit id, and the database's time in milliseconds since 1970.
CREATE PROCEDURE claim_city(
  IN p_city        VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_cluster_uid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  -- The epoch in which the Lease was written. A worker that was cut off while etcd went back still has the larger token of the
  -- lost history; only its epoch tells that it is old.
  IN p_epoch       BIGINT UNSIGNED,
  IN p_token       BIGINT UNSIGNED,
  IN p_holder      VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
main: BEGIN
  DECLARE v_authority, v_epoch, v_token, v_tick, v_slot_ms, v_claims BIGINT UNSIGNED;
  DECLARE v_period_ms INT UNSIGNED;
  DECLARE v_commit_id BINARY(16);
  DECLARE v_holder VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  IF p_holder IS NULL OR p_token IS NULL OR p_token = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'claim_city needs a holder and a token above 0';
  END IF;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT epoch INTO v_authority FROM authority WHERE id = 1 AND cluster_uid = p_cluster_uid;
  IF v_authority IS NULL THEN
    ROLLBACK;
    SELECT 'foreign' AS outcome, NULL AS epoch, NULL AS tick, NULL AS slot_ms, NULL AS period_ms,
           NULL AS commit_id, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms;
    LEAVE main;
  END IF;

  -- check: epoch
  IF NOT (p_epoch <=> v_authority) THEN
    ROLLBACK;
    SELECT 'behind' AS outcome, NULL AS epoch, NULL AS tick, NULL AS slot_ms, NULL AS period_ms, NULL AS commit_id,
           CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms;
    LEAVE main;
  END IF;
  -- end of check: epoch

  -- Makes sure of the row and takes its lock, in one statement.
  INSERT INTO city_fence (city, epoch, token, claimed_at, changed_at)
  VALUES (p_city, 0, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE city = p_city;
  SELECT epoch, token, holder, tick, slot_ms, period_ms, commit_id, claims
    INTO v_epoch, v_token, v_holder, v_tick, v_slot_ms, v_period_ms, v_commit_id, v_claims
    FROM city_fence WHERE city = p_city FOR UPDATE;

  -- A sealed fence has no holder, so the token that sealed it claims nothing (NULL compares as not equal).
  IF v_epoch > v_authority OR (v_epoch = v_authority AND v_token > p_token)
     OR (v_epoch = v_authority AND v_token = p_token AND NOT (v_holder <=> p_holder)) THEN
    ROLLBACK;
    SELECT 'behind' AS outcome, NULL AS epoch, NULL AS tick, NULL AS slot_ms, NULL AS period_ms,
           NULL AS commit_id, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms;
    LEAVE main;
  END IF;

  IF v_epoch < v_authority OR v_token < p_token THEN
    UPDATE city_fence
       SET epoch = v_authority, token = p_token, holder = p_holder, claims = v_claims + 1,
           claimed_at = UTC_TIMESTAMP(3), changed_at = UTC_TIMESTAMP(3)
     WHERE city = p_city;
    INSERT INTO claim (city, claim, epoch, token, holder, tick, claimed_at)
    VALUES (p_city, v_claims + 1, v_authority, p_token, p_holder, v_tick, UTC_TIMESTAMP(3));
  END IF;
  COMMIT;
  SELECT 'claimed' AS outcome, v_authority AS epoch, v_tick AS tick, v_slot_ms AS slot_ms, v_period_ms AS period_ms,
         BIN_TO_UUID(v_commit_id) AS commit_id, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms;
END
;;
