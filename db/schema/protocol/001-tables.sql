-- The protocol's own tables. Only the stored procedures beside this file write them.
--
-- A file whose name begins with a number is a migration: applied once, in order, never changed afterwards. Every other
-- file is a definition that replaces the one before it. A statement ends with a line of its own that is just `;;`.

-- Which Kubernetes cluster may hand out tokens for this database. At most one row.
CREATE TABLE IF NOT EXISTS authority (
  id          TINYINT UNSIGNED NOT NULL DEFAULT 1,
  epoch       BIGINT UNSIGNED NOT NULL,
  -- UID of the cluster's `kube-system` namespace.
  cluster_uid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  changed_at  DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT authority_is_single CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

-- One row per city, for ever: the highest token that was claimed, and the last tick. A row is never deleted, not even
-- with its City: it is what stops a late claim from long ago.
CREATE TABLE IF NOT EXISTS city_fence (
  city         VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  epoch        BIGINT UNSIGNED NOT NULL,
  token        BIGINT UNSIGNED NOT NULL,
  -- Who claimed it; NULL: sealed, nobody can commit.
  holder       VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Number of the last committed tick; 0: none yet.
  tick         BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- Scheduled start of that tick, milliseconds since 1970, its period and its commit id.
  slot_ms      BIGINT UNSIGNED NULL,
  period_ms    INT UNSIGNED NULL,
  commit_id    BINARY(16) NULL,
  -- How many rows `claim` has had for this city.
  claims       BIGINT UNSIGNED NOT NULL DEFAULT 0,
  claimed_at   DATETIME(3) NOT NULL,
  committed_at DATETIME(3) NULL,
  changed_at   DATETIME(3) NOT NULL,
  PRIMARY KEY (city),
  -- The progress reader asks once a second for what moved since.
  KEY changed (changed_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

-- Every rise of every fence, numbered per city. `tick` is the last tick at that moment: the fence row's lock puts
-- claims and commits in one order, so every later tick number must carry this token or a later one. No clock needed.
CREATE TABLE IF NOT EXISTS claim (
  city       VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  claim      BIGINT UNSIGNED NOT NULL,
  epoch      BIGINT UNSIGNED NOT NULL,
  token      BIGINT UNSIGNED NOT NULL,
  -- NULL: a seal.
  holder     VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NULL,
  tick       BIGINT UNSIGNED NOT NULL,
  claimed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (city, claim)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

-- The ledger: one row per committed tick, kept for a configured time. The primary key alone makes a second tick of the
-- same number impossible.
CREATE TABLE IF NOT EXISTS tick (
  city          VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tick          BIGINT UNSIGNED NOT NULL,
  epoch         BIGINT UNSIGNED NOT NULL,
  token         BIGINT UNSIGNED NOT NULL,
  holder        VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Chosen by the sender for one commit and all its repetitions.
  commit_id     BINARY(16) NOT NULL,
  slot_ms       BIGINT UNSIGNED NOT NULL,
  period_ms     INT UNSIGNED NOT NULL,
  -- The tick that the snapshot showed, from which this one was computed.
  snapshot_tick BIGINT UNSIGNED NOT NULL,
  -- Decisions that were sent, dropped ones included.
  decisions     INT UNSIGNED NOT NULL,
  -- [{"order": …, "courier": …, "because": …}], NULL when all were applied.
  dropped       JSON NULL,
  degraded      BOOLEAN NOT NULL,
  committed_at  DATETIME(3) NOT NULL,
  PRIMARY KEY (city, tick)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;
