-- The fenced commit: one transaction inside one round trip. It holds no lock while its caller is frozen, and whatever
-- happens to the caller or the connection, all of it is there or nothing.
--
-- Returns one row: outcome, and the dropped decisions as JSON (NULL: none).
--   committed  the tick is in, for ever
--   repeated   this very commit (same id) was in already: the answer of the first one had been lost
--   outpaced   the tick is in under another id, or it was computed from a tick that the database does not have (lost in a
--              fail-over, maybe replaced since): claim again and reload
--   fenced     a later holder claimed or the operator sealed: nothing was written, nor ever will be
CREATE PROCEDURE commit_tick(
  IN p_city          VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_epoch         BIGINT UNSIGNED,
  IN p_token         BIGINT UNSIGNED,
  IN p_tick          BIGINT UNSIGNED,
  -- A UUID as text.
  IN p_commit_id     VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  -- That of the tick before, as the claim or the snapshot told it; NULL for the first tick.
  IN p_previous_commit_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_slot_ms       BIGINT UNSIGNED,
  IN p_period_ms     INT UNSIGNED,
  IN p_snapshot_tick BIGINT UNSIGNED,
  -- 0: no. 1: the deadline or the size of the snapshot cut it short. 2 and more: why the City's own dispatcher did not
  -- decide it, see db/dispatcher-failure.ts.
  IN p_degraded      TINYINT UNSIGNED,
  -- [{"order": "o1", "courier": "c7", "stop": 1, "from": null}, …], as `apply_decisions` takes them.
  IN p_decisions     JSON
)
SQL SECURITY DEFINER
main: BEGIN
  DECLARE v_epoch, v_token, v_last_tick BIGINT UNSIGNED;
  DECLARE v_holder VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_last_commit_id BINARY(16);
  DECLARE v_is_repeated BOOLEAN DEFAULT FALSE;
  DECLARE v_dropped JSON;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  START TRANSACTION;
  -- The lock that puts all claims, seals and commits of a city in one order.
  SELECT epoch, token, holder, tick, commit_id INTO v_epoch, v_token, v_holder, v_last_tick, v_last_commit_id
    FROM city_fence WHERE city = p_city FOR UPDATE;

  -- What was answered `committed` stays committed whatever the fence says now: so the ledger is asked first.
  IF p_tick <= v_last_tick THEN
    SELECT TRUE, dropped INTO v_is_repeated, v_dropped
      FROM tick WHERE city = p_city AND tick = p_tick AND commit_id = UUID_TO_BIN(p_commit_id);
    IF v_is_repeated THEN
      ROLLBACK;
      SELECT 'repeated' AS outcome, v_dropped AS dropped;
      LEAVE main;
    END IF;
  END IF;

  -- check: token
  IF v_epoch IS NULL OR v_epoch <> p_epoch OR v_token <> p_token OR v_holder IS NULL THEN
    ROLLBACK;
    SELECT 'fenced' AS outcome, NULL AS dropped;
    LEAVE main;
  END IF;
  -- end of check: token

  -- check: tick
  IF p_tick <> v_last_tick + 1 THEN
    ROLLBACK;
    SELECT 'outpaced' AS outcome, NULL AS dropped;
    LEAVE main;
  END IF;
  -- end of check: tick

  -- A number alone does not name a tick: a fail-over can lose ticks, and their numbers are given again under the very same
  -- token. A packet that was computed from a lost one may still be on its way.
  -- check: previous commit
  IF NOT (v_last_commit_id <=> UUID_TO_BIN(p_previous_commit_id)) THEN
    ROLLBACK;
    SELECT 'outpaced' AS outcome, NULL AS dropped;
    LEAVE main;
  END IF;
  -- end of check: previous commit

  IF JSON_LENGTH(p_decisions) > 0 THEN
    CALL apply_decisions(p_city, p_epoch, p_token, p_tick, p_decisions, v_dropped);
  END IF;
  INSERT INTO tick (city, tick, epoch, token, holder, commit_id, previous_commit_id, slot_ms, period_ms, snapshot_tick,
                    decisions, dropped, degraded, committed_at)
  VALUES (p_city, p_tick, p_epoch, p_token, COALESCE(v_holder, ''), UUID_TO_BIN(p_commit_id),
          UUID_TO_BIN(p_previous_commit_id), p_slot_ms, p_period_ms, p_snapshot_tick, JSON_LENGTH(p_decisions), v_dropped, p_degraded, UTC_TIMESTAMP(3));
  UPDATE city_fence
     SET tick = p_tick, slot_ms = p_slot_ms, period_ms = p_period_ms, commit_id = UUID_TO_BIN(p_commit_id),
         degraded = p_degraded,
         committed_at = UTC_TIMESTAMP(3), changed_at = UTC_TIMESTAMP(3)
   WHERE city = p_city;
  COMMIT;
  SELECT 'committed' AS outcome, v_dropped AS dropped;
END
;;
