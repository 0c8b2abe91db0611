-- What the last tick of a city says about its dispatcher, beside the fence: the progress reader sees it with the tick, and
-- the City's status says it to people. The values are those of `tick.degraded`.
--
-- MySQL commits every DDL statement at once, so a migration that was killed here comes back: it asks first.
SET @add_degraded = IF(
  EXISTS (SELECT 1 FROM information_schema.columns
           WHERE table_schema = DATABASE() AND table_name = 'city_fence' AND column_name = 'degraded'),
  'DO 0',
  'ALTER TABLE city_fence ADD COLUMN degraded TINYINT UNSIGNED NOT NULL DEFAULT 0, ALGORITHM = INSTANT')
;;
PREPARE add_degraded FROM @add_degraded
;;
EXECUTE add_degraded
;;
DEALLOCATE PREPARE add_degraded
;;
