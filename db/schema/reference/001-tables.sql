-- The reference schema of a delivery company: its own services write stores, couriers and orders; `assignment` is where
-- the decisions of the dispatch go. A company with tables of its own leaves this folder out and re-defines the three
-- objects of the data contract over them: `open_orders`, `available_couriers` and `apply_decisions`.
CREATE TABLE IF NOT EXISTS stores (
  city      VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name      VARCHAR(255) NOT NULL,
  latitude  DOUBLE NOT NULL,
  longitude DOUBLE NOT NULL,
  PRIMARY KEY (city, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

CREATE TABLE IF NOT EXISTS couriers (
  city            VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id              VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  latitude        DOUBLE NOT NULL,
  longitude       DOUBLE NOT NULL,
  position_at     DATETIME(3) NOT NULL,
  -- Orders at one time.
  capacity        INT UNSIGNED NOT NULL,
  shift_starts_at DATETIME(3) NOT NULL,
  shift_ends_at   DATETIME(3) NOT NULL,
  -- When and where the courier's app expects to be done with everything accepted so far; NULL: idle.
  free_at         DATETIME(3) NULL,
  free_latitude   DOUBLE NULL,
  free_longitude  DOUBLE NULL,
  PRIMARY KEY (city, id),
  -- Couriers whose shift is not over are a short range at its end, however many worked here before.
  KEY on_shift (city, shift_ends_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

CREATE TABLE IF NOT EXISTS orders (
  city         VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  store_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The door.
  latitude     DOUBLE NOT NULL,
  longitude    DOUBLE NOT NULL,
  placed_at    DATETIME(3) NOT NULL,
  ready_at     DATETIME(3) NOT NULL,
  status       ENUM ('placed', 'picked_up', 'delivered', 'cancelled') NOT NULL DEFAULT 'placed',
  picked_up_at DATETIME(3) NULL,
  delivered_at DATETIME(3) NULL,
  cancelled_at DATETIME(3) NULL,
  PRIMARY KEY (city, id),
  KEY by_status (city, status)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;

-- One row per decision that was applied. Locks are taken in one order everywhere: orders, assignment, couriers.
CREATE TABLE IF NOT EXISTS assignment (
  city            VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tick            BIGINT UNSIGNED NOT NULL,
  order_id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  courier_id      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state           ENUM ('active', 'delivered', 'cancelled', 'declined', 'reassigned') NOT NULL DEFAULT 'active',
  assigned_at     DATETIME(3) NOT NULL,
  accepted_at     DATETIME(3) NULL,
  ended_at        DATETIME(3) NULL,
  active_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
                  GENERATED ALWAYS AS (IF(state = 'active', order_id, NULL)) STORED NULL,
  PRIMARY KEY (city, tick, order_id),
  -- Two active assignments of one order are impossible, whoever writes.
  UNIQUE KEY one_active_per_order (city, active_order_id),
  KEY by_order (city, order_id, state),
  -- Covers the load of the couriers.
  KEY by_courier (city, state, courier_id, accepted_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
;;
