-- The operator's claim on behalf of nobody: when it returns `sealed`, nothing more is committed for the city until a
-- larger token claims it. The token that the present holder claimed with seals its fence too.
--
-- Returns one row: outcome (sealed | behind | foreign), and for `sealed` the epoch.
CREATE PROCEDURE seal_city(
  IN p_city        VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_cluster_uid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_token       BIGINT UNSIGNED
)
SQL SECURITY DEFINER
main: BEGIN
  DECLARE v_authority, v_epoch, v_token, v_tick, v_claims BIGINT UNSIGNED;
  DECLARE v_holder VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  IF p_token IS NULL OR p_token = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'seal_city needs a token above 0';
  END IF;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT epoch INTO v_authority FROM authority WHERE id = 1 AND cluster_uid = p_cluster_uid;
  IF v_authority IS NULL THEN
    ROLLBACK;
    SELECT 'foreign' AS outcome, NULL AS epoch;
    LEAVE main;
  END IF;

  INSERT INTO city_fence (city, epoch, token, claimed_at, changed_at)
  VALUES (p_city, 0, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE city = p_city;
  SELECT epoch, token, holder, tick, claims
    INTO v_epoch, v_token, v_holder, v_tick, v_claims
    FROM city_fence WHERE city = p_city FOR UPDATE;

  IF v_epoch > v_authority OR (v_epoch = v_authority AND v_token > p_token) THEN
    ROLLBACK;
    SELECT 'behind' AS outcome, NULL AS epoch;
    LEAVE main;
  END IF;

  IF v_epoch < v_authority OR v_token < p_token OR v_holder IS NOT NULL THEN
    UPDATE city_fence
       SET epoch = v_authority, token = p_token, holder = NULL, claims = v_claims + 1,
           claimed_at = UTC_TIMESTAMP(3), changed_at = UTC_TIMESTAMP(3)
     WHERE city = p_city;
    INSERT INTO claim (city, claim, epoch, token, holder, tick, claimed_at)
    VALUES (p_city, v_claims + 1, v_authority, p_token, NULL, v_tick, UTC_TIMESTAMP(3));
  END IF;
  COMMIT;
  SELECT 'sealed' AS outcome, v_authority AS epoch;
END
;;
