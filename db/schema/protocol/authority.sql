-- Which cluster may hand out tokens. Each procedure returns the row as it then is: epoch, cluster_uid.

-- The first cluster on an empty database takes it; every other one finds out whose it is.
CREATE PROCEDURE establish_authority(
  IN p_cluster_uid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO authority (id, epoch, cluster_uid, changed_at)
  VALUES (1, 1, p_cluster_uid, UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE id = 1;
  SELECT epoch, cluster_uid FROM authority WHERE id = 1;
END
;;

-- A person's order: tokens come from another cluster from now on. The next epoch puts every one of its tokens above all
-- that the old cluster handed out; the old holders commit on, city by city, until the new ones claim.
CREATE PROCEDURE take_authority(
  IN p_cluster_uid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin
)
SQL SECURITY DEFINER
BEGIN
  INSERT INTO authority (id, epoch, cluster_uid, changed_at)
  VALUES (1, 1, p_cluster_uid, UTC_TIMESTAMP(3))
  -- Assignments run from left to right: the UID must change last. The same cluster again changes nothing.
  ON DUPLICATE KEY UPDATE
    epoch = epoch + (cluster_uid <> p_cluster_uid),
    changed_at = IF(cluster_uid <> p_cluster_uid, UTC_TIMESTAMP(3), changed_at),
    cluster_uid = p_cluster_uid;
  SELECT epoch, cluster_uid FROM authority WHERE id = 1;
END
;;

-- The same cluster handed out smaller tokens than before (its etcd went back in time). Conditional on the epoch that the
-- caller saw, so that two callers raise it once.
CREATE PROCEDURE raise_epoch(
  IN p_cluster_uid    VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_expected_epoch BIGINT UNSIGNED
)
SQL SECURITY DEFINER
BEGIN
  UPDATE authority
     SET epoch = epoch + 1, changed_at = UTC_TIMESTAMP(3)
   WHERE id = 1 AND cluster_uid = p_cluster_uid AND epoch = p_expected_epoch;
  SELECT epoch, cluster_uid FROM authority WHERE id = 1;
END
;;
