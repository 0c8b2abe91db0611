import type { FencingToken } from "../../crds/token.ts";
import type { Query, Row } from "../pool.ts";
import { bigintOf, textOrUndefined } from "../rows.ts";

/** What the tables tell of one city, read in one consistent snapshot. */
export type CityHistory = {
  readonly city: string;
  readonly fence: FenceRow;
  /** Epoch of the authority; undefined: nobody has it. */
  readonly authorityEpoch: bigint | undefined;
  /** In the order in which they were made. */
  readonly claims: readonly ClaimRow[];
  /** By number; the oldest ones may have been pruned. */
  readonly ticks: readonly TickRow[];
  /** Undefined when the company keeps its assignments in tables of its own. */
  readonly assignments: AssignmentSummary | undefined;
};

export type FenceRow = {
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly holder: string | undefined;
  readonly tick: bigint;
  readonly claims: bigint;
};

export type ClaimRow = {
  readonly claim: bigint;
  readonly epoch: bigint;
  readonly token: FencingToken;
  /** Undefined: a seal. */
  readonly holder: string | undefined;
  /** The last tick when it was made. */
  readonly tick: bigint;
};

export type TickRow = {
  readonly tick: bigint;
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly commitId: string;
  /** Undefined for the first tick, and for those that are older than the column. */
  readonly previousCommitId: string | undefined;
  readonly slotMs: number;
  readonly periodMs: number;
  readonly snapshotTick: bigint;
  /** Sent, the dropped ones included. */
  readonly decisions: number;
  readonly dropped: number;
  readonly isDegraded: boolean;
};

export type AssignmentSummary = {
  /** Number of assignments made by a tick. */
  readonly byTick: ReadonlyMap<bigint, number>;
  readonly active: number;
  /** Orders with more than one active assignment. */
  readonly doubled: readonly string[];
  /** Active assignments of orders that are delivered, cancelled or gone. */
  readonly ofEndedOrders: readonly string[];
  /** Orders that were taken from a courier and given to nobody. */
  readonly takenForNothing: readonly string[];
  /** What one tick gave to one courier, as far as it is active: the stores and the stops of it. */
  readonly bundles: readonly {
    readonly courier: string;
    readonly tick: bigint;
    readonly stores: readonly string[];
    readonly stops: readonly number[];
  }[];
  readonly overloaded: readonly {
    readonly courier: string;
    readonly active: number;
    readonly capacity: number;
  }[];
};

const FENCE = `
SELECT f.epoch, f.token, f.holder, f.tick, f.claims, a.epoch AS authority_epoch
  FROM city_fence f LEFT JOIN authority a ON a.id = 1
 WHERE f.city = ?`;

const CLAIMS = "SELECT claim, epoch, token, holder, tick FROM claim WHERE city = ? ORDER BY claim";

/** A range of the primary key, as every statement here. */
const TICKS = `
SELECT tick, epoch, token, BIN_TO_UUID(commit_id) AS commit_id, BIN_TO_UUID(previous_commit_id) AS previous_commit_id,
       slot_ms, period_ms, snapshot_tick, decisions, COALESCE(JSON_LENGTH(dropped), 0) AS dropped, degraded
  FROM tick WHERE city = ? ORDER BY tick`;

const BY_TICK = "SELECT tick, COUNT(*) AS made FROM assignment WHERE city = ? AND tick >= ? GROUP BY tick";

const ACTIVE = `
SELECT a.order_id, a.courier_id, a.tick, a.stop, o.status, o.store_id, c.capacity
  FROM assignment a
  LEFT JOIN orders o ON o.city = a.city AND o.id = a.order_id
  LEFT JOIN couriers c ON c.city = a.city AND c.id = a.courier_id
 WHERE a.city = ? AND a.state = 'active'`;

/** A range of `assignment.by_courier`, and per row one of `assignment.by_order`. */
const TAKEN_FOR_NOTHING = `
SELECT r.order_id
  FROM assignment r
 WHERE r.city = ? AND r.state = 'reassigned' AND r.tick >= ?
   AND NOT EXISTS (SELECT 1 FROM assignment n WHERE n.city = r.city AND n.order_id = r.order_id AND n.tick > r.tick)`;

const REFERENCE_TABLES = `
SELECT COUNT(*) AS tables FROM information_schema.tables
 WHERE table_schema = DATABASE() AND table_name IN ('assignment', 'orders', 'couriers')`;

/** Whether the reference schema is there to be audited as well. */
export async function hasReferenceSchema(query: Query, signal: AbortSignal): Promise<boolean> {
  const [row] = await query(REFERENCE_TABLES, [], signal);
  return Number(row?.["tables"]) === 3;
}

export async function readHistory(
  query: Query,
  input: { readonly city: string; readonly withAssignments: boolean },
  signal: AbortSignal,
): Promise<CityHistory> {
  const { city } = input;
  const [fence] = await query(FENCE, [city], signal);
  if (fence === undefined) throw new TypeError(`the fence of ${city} disappeared: rows are never deleted`);
  const claims = await query(CLAIMS, [city], signal);
  const ticks = (await query(TICKS, [city], signal)).map(tickOf);
  const sinceTick = ticks[0]?.tick ?? 0n;
  return {
    city,
    fence: {
      epoch: bigintOf(fence["epoch"]),
      token: bigintOf(fence["token"]) as FencingToken,
      holder: textOrUndefined(fence["holder"]),
      tick: bigintOf(fence["tick"]),
      claims: bigintOf(fence["claims"]),
    },
    authorityEpoch: fence["authority_epoch"] === null ? undefined : bigintOf(fence["authority_epoch"]),
    claims: claims.map(claimOf),
    ticks,
    assignments: input.withAssignments
      ? summarise({
          byTick: await query(BY_TICK, [city, sinceTick], signal),
          active: await query(ACTIVE, [city], signal),
          takenForNothing: await query(TAKEN_FOR_NOTHING, [city, sinceTick], signal),
        })
      : undefined,
  };
}

function claimOf(row: Row): ClaimRow {
  return {
    claim: bigintOf(row["claim"]),
    epoch: bigintOf(row["epoch"]),
    token: bigintOf(row["token"]) as FencingToken,
    holder: textOrUndefined(row["holder"]),
    tick: bigintOf(row["tick"]),
  };
}

function tickOf(row: Row): TickRow {
  return {
    tick: bigintOf(row["tick"]),
    epoch: bigintOf(row["epoch"]),
    token: bigintOf(row["token"]) as FencingToken,
    commitId: String(row["commit_id"]),
    previousCommitId: textOrUndefined(row["previous_commit_id"]),
    slotMs: Number(row["slot_ms"]),
    periodMs: Number(row["period_ms"]),
    snapshotTick: bigintOf(row["snapshot_tick"]),
    decisions: Number(row["decisions"]),
    dropped: Number(row["dropped"]),
    isDegraded: Number(row["degraded"]) !== 0,
  };
}

function summarise(rows: {
  readonly byTick: readonly Row[];
  readonly active: readonly Row[];
  readonly takenForNothing: readonly Row[];
}): AssignmentSummary {
  const { byTick, active, takenForNothing } = rows;
  const perOrder = new Map<string, number>();
  const perCourier = new Map<string, { active: number; capacity: number }>();
  const ofEndedOrders: string[] = [];
  for (const row of active) {
    const [order, courier] = [String(row["order_id"]), String(row["courier_id"])];
    perOrder.set(order, (perOrder.get(order) ?? 0) + 1);
    if (row["status"] !== "placed" && row["status"] !== "picked_up") ofEndedOrders.push(order);
    // A courier that is no more carries nothing.
    const load = perCourier.get(courier) ?? { active: 0, capacity: Number(row["capacity"] ?? 0) };
    perCourier.set(courier, { ...load, active: load.active + 1 });
  }
  return {
    byTick: new Map(byTick.map((row) => [bigintOf(row["tick"]), Number(row["made"])])),
    active: active.length,
    doubled: [...perOrder].filter(([, count]) => count > 1).map(([order]) => order),
    ofEndedOrders,
    takenForNothing: takenForNothing.map((row) => String(row["order_id"])),
    bundles: bundlesOf(active),
    overloaded: [...perCourier]
      .filter(([, load]) => load.active > load.capacity)
      .map(([courier, { active, capacity }]) => ({ courier, active, capacity })),
  };
}

function bundlesOf(active: readonly Row[]): AssignmentSummary["bundles"] {
  const bundles = new Map<string, { courier: string; tick: bigint; stores: Set<string>; stops: number[] }>();
  for (const row of active) {
    const [courier, tick] = [String(row["courier_id"]), bigintOf(row["tick"])];
    const key = `${tick} ${courier}`;
    const bundle = bundles.get(key) ?? { courier, tick, stores: new Set(), stops: [] };
    bundles.set(key, bundle);
    bundle.stops.push(Number(row["stop"]));
    // An order that is no more is of no store; the check of invariant 7 says so.
    const store = textOrUndefined(row["store_id"]);
    if (store !== undefined) bundle.stores.add(store);
  }
  return [...bundles.values()].map(({ stores, ...bundle }) => ({ ...bundle, stores: [...stores] }));
}
