-- Ends the session that holds the named lock `session <name>`, which every pooled session takes under a random name when
-- it begins. Returns one row: outcome (killed | gone).
--
-- Needed because a thread that executes a procedure belongs to the account that created the procedure: MySQL answers its
-- own login account "You are not owner of thread". This procedure has the same creator, so it may. A random name instead
-- of the thread's number also makes it impossible to hit a stranger after a restart has begun the numbers anew.
CREATE PROCEDURE kill_session(
  IN p_name VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  DECLARE v_id BIGINT UNSIGNED DEFAULT IS_USED_LOCK(CONCAT('session ', p_name));
  IF v_id IS NULL THEN
    SELECT 'gone' AS outcome;
  ELSE
    KILL CONNECTION v_id;
    SELECT 'killed' AS outcome;
  END IF;
END
;;
