-- Forgets explanations and records that are older than `p_keep_ms`, the oldest first and at most `p_rows_max` of them: a
-- short transaction over a range of `by_age` that no writer of new ones ever touches.
--
-- Returns one row: pruned (number of ticks).
CREATE PROCEDURE prune_explanations(
  IN p_keep_ms  BIGINT UNSIGNED,
  IN p_rows_max INT UNSIGNED
)
SQL SECURITY DEFINER
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  DELETE FROM tick_explanation
   WHERE kept_at < UTC_TIMESTAMP(3) - INTERVAL p_keep_ms * 1000 MICROSECOND ORDER BY kept_at LIMIT p_rows_max;
  SELECT ROW_COUNT() AS pruned;
  COMMIT;
END
;;
