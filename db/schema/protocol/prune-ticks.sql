-- Forgets ticks older than `p_keep_ms`, for at most `p_cities_max` cities after `p_after_city` ('' = from the first) and
-- at most `p_ticks_max` ticks of each. Every city is a transaction of its own that touches only the oldest rows, by
-- primary key: it never waits for a commit, nor a commit for it. A city's last tick stays for ever, and so do the claims
-- that its remaining ticks were committed under.
--
-- Returns one row: pruned (number of ticks) and last_city (continue after it; NULL: the end was reached).
CREATE PROCEDURE prune_ticks(
  IN p_after_city VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_keep_ms    BIGINT UNSIGNED,
  IN p_cities_max INT UNSIGNED,
  IN p_ticks_max  INT UNSIGNED
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_city, v_last_city VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_last_tick, v_first_tick, v_claim BIGINT UNSIGNED;
  DECLARE v_pruned BIGINT UNSIGNED DEFAULT 0;
  DECLARE v_cities INT UNSIGNED DEFAULT 0;
  DECLARE v_is_done BOOLEAN DEFAULT FALSE;
  DECLARE v_cutoff DATETIME(3) DEFAULT UTC_TIMESTAMP(3) - INTERVAL p_keep_ms * 1000 MICROSECOND;
  DECLARE fences CURSOR FOR
    SELECT city, tick FROM city_fence WHERE city > p_after_city ORDER BY city LIMIT p_cities_max;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_is_done = TRUE;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  OPEN fences;
  walk: LOOP
    FETCH fences INTO v_city, v_last_tick;
    IF v_is_done THEN LEAVE walk; END IF;
    SET v_last_city = v_city, v_cities = v_cities + 1;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SET v_first_tick = (SELECT MIN(tick) FROM tick WHERE city = v_city);
    DELETE FROM tick
     WHERE city = v_city AND tick < LEAST(v_first_tick + p_ticks_max, v_last_tick) AND committed_at < v_cutoff;
    SET v_pruned = v_pruned + ROW_COUNT();

    SET v_first_tick = (SELECT MIN(tick) FROM tick WHERE city = v_city);
    SET v_claim = (SELECT MAX(claim) FROM claim WHERE city = v_city AND tick < v_first_tick);
    DELETE FROM claim WHERE city = v_city AND claim < v_claim AND claimed_at < v_cutoff;
    COMMIT;
  END LOOP;
  CLOSE fences;
  SELECT v_pruned AS pruned, IF(v_cities < p_cities_max, NULL, v_last_city) AS last_city;
END
;;
