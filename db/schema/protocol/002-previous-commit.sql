-- The commit id of the tick that a tick was computed from, so that the ledger is a chain; NULL for the first tick of a
-- city, and for ticks that are older than this file.
--
-- MySQL commits every DDL statement at once, so a migration that was killed here comes back: it asks first.
SET @add_previous_commit_id = IF(
  EXISTS (SELECT 1 FROM information_schema.columns
           WHERE table_schema = DATABASE() AND table_name = 'tick' AND column_name = 'previous_commit_id'),
  'DO 0',
  'ALTER TABLE tick ADD COLUMN previous_commit_id BINARY(16) NULL AFTER commit_id, ALGORITHM = INSTANT')
;;
PREPARE add_previous_commit_id FROM @add_previous_commit_id
;;
EXECUTE add_previous_commit_id
;;
DEALLOCATE PREPARE add_previous_commit_id
;;
