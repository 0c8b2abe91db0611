-- Adds to a committed tick why it decided as it did. Only for a tick that is in the ledger under that very commit id, so
-- whoever calls this can change no decision and explain no tick but its own. A repetition replaces what is there.
--
-- Returns one row: outcome (kept | no-tick).
CREATE PROCEDURE keep_explanation(
  IN p_city         VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_tick         BIGINT UNSIGNED,
  IN p_commit_id    VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_dispatcher   VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_left_out     INT UNSIGNED,
  IN p_explanations MEDIUMBLOB,
  -- NULL: the tick is not recorded.
  IN p_record       MEDIUMBLOB
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_is_there INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  SELECT COUNT(*) INTO v_is_there
    FROM tick WHERE city = p_city AND tick = p_tick AND commit_id = UUID_TO_BIN(p_commit_id);
  IF v_is_there = 1 THEN
    REPLACE INTO tick_explanation (city, tick, commit_id, kept_at, dispatcher, left_out, explanations, record)
    VALUES (p_city, p_tick, UUID_TO_BIN(p_commit_id), UTC_TIMESTAMP(3), p_dispatcher, p_left_out, p_explanations,
            p_record);
  END IF;
  COMMIT;
  SELECT IF(v_is_there = 1, 'kept', 'no-tick') AS outcome;
END
;;
