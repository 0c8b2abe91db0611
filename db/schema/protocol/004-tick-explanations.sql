-- Why each tick decided as it did, beside the ledger: written after the commit was answered, with luck, and kept for a
-- shorter time. Nothing depends on it but people.
CREATE TABLE IF NOT EXISTS tick_explanation (
  city         VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tick         BIGINT UNSIGNED NOT NULL,
  -- Of the tick that it explains: the ledger may have lost that one and given its number anew.
  commit_id    BINARY(16) NOT NULL,
  kept_at      DATETIME(3) NOT NULL,
  -- Who decided: optimal, greedy, or a module of the company's own.
  dispatcher   VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Explanations that were left out for their size, the least interesting first.
  left_out     INT UNSIGNED NOT NULL,
  -- zstd of a JSON text per line: what went wrong first, then one per order; see worker/story/explanation-lines.ts.
  explanations MEDIUMBLOB NOT NULL,
  -- zstd of the JSON text from which the tick can be replayed, NULL: not recorded; see worker/records/record.ts.
  record       MEDIUMBLOB NULL,
  PRIMARY KEY (city, tick),
  -- Pruning goes by age, whatever the city.
  KEY by_age (kept_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;
