import type { Row, SqlValue } from "../../db/pool.ts";
import { applyDecisions, availableCouriers, openOrders } from "./fake-city-rows.ts";
import type { FakeTables, FenceRow } from "./fake-tables.ts";

/**
 * What the stored procedures of `db/schema/protocol` do, on tables in memory. Each runs whole or not at all, as a transaction
 * under the fence row's lock does. What they have in common with the real ones stands in `fence-contract.ts`.
 */

export type ResultSets = readonly (readonly Row[])[];
type Procedure = (tables: FakeTables, values: readonly SqlValue[], nowMs: number) => ResultSets;

const NO_FENCE: FenceRow = {
  epoch: 0n,
  token: 0n,
  holder: null,
  tick: 0n,
  slotMs: null,
  periodMs: null,
  commitId: null,
  claims: 0n,
  claimedAtMs: 0,
  committedAtMs: null,
  changedAtMs: 0,
  degraded: 0,
};

const PROCEDURES: Readonly<Record<string, { readonly parameters: number; readonly run: Procedure }>> = {
  claim_city: { parameters: 5, run: claimCity },
  commit_tick: { parameters: 11, run: commitTick },
  seal_city: { parameters: 3, run: sealCity },
  read_snapshot: { parameters: 1, run: readSnapshot },
  prune_ticks: { parameters: 4, run: pruneTicks },
  keep_explanation: { parameters: 7, run: () => [[{ outcome: "kept" }]] },
  prune_explanations: { parameters: 2, run: () => [[{ pruned: 0 }]] },
  establish_authority: {
    parameters: 1,
    run(tables, [uid]) {
      if (tables.authority === undefined) tables.setAuthority({ epoch: 1n, clusterUid: String(uid) });
      return authorityRow(tables);
    },
  },
  take_authority: {
    parameters: 1,
    run(tables, [uid]) {
      const epoch = tables.authority?.epoch ?? 0n;
      if (tables.authority?.clusterUid !== uid) {
        tables.setAuthority({ epoch: epoch + 1n, clusterUid: String(uid) });
      }
      return authorityRow(tables);
    },
  },
  raise_epoch: {
    parameters: 2,
    run(tables, [uid, expected]) {
      const { authority } = tables;
      if (
        authority !== undefined &&
        authority.clusterUid === uid &&
        authority.epoch === BigInt(String(expected))
      ) {
        tables.setAuthority({ ...authority, epoch: authority.epoch + 1n });
      }
      return authorityRow(tables);
    },
  },
};

const CALL = /^CALL (\w+)\(/;

/** The result sets of one CALL of the product. Throws for a procedure or a number of parameters that it does not know. */
export function callProcedure(
  tables: FakeTables,
  sql: string,
  values: readonly SqlValue[],
  nowMs: number,
): ResultSets {
  const procedure = PROCEDURES[CALL.exec(sql)?.[1] ?? ""];
  const sent = sql.match(/\?/g)?.length;
  if (procedure === undefined || procedure.parameters !== values.length || sent !== values.length) {
    throw new TypeError(`the fake MySQL has no procedure for ${sql} with ${values.length} values`);
  }
  return procedure.run(tables, values, Math.floor(nowMs));
}

/** The rows of one of the product's single statements. */
export function runQuery(
  tables: FakeTables,
  sql: string,
  values: readonly SqlValue[],
  nowMs: number,
): readonly Row[] {
  if (sql === "SELECT epoch, cluster_uid FROM authority WHERE id = 1") return authorityRow(tables)[0] ?? [];
  if (sql.trimEnd().endsWith("LEFT JOIN city_fence f ON f.changed_at >= ?"))
    return readProgress(tables, (values[0] as Date).getTime(), Math.floor(nowMs));
  if (sql === "SELECT name FROM schema_version") return [];
  throw new TypeError(`the fake MySQL does not know ${sql}`);
}

function claimCity(tables: FakeTables, values: readonly SqlValue[], nowMs: number): ResultSets {
  const [city, uid, holder] = [String(values[0]), values[1], String(values[4])];
  const [epoch, token] = [BigInt(String(values[2])), BigInt(String(values[3]))];
  const answer = (outcome: string, epoch?: bigint, fence?: FenceRow): ResultSets => [
    [
      {
        outcome,
        epoch: text(epoch),
        tick: text(fence?.tick),
        slot_ms: text(fence?.slotMs),
        period_ms: fence?.periodMs ?? null,
        commit_id: fence?.commitId ?? null,
        database_time_ms: String(nowMs),
      },
    ],
  ];
  const { authority } = tables;
  if (authority === undefined || authority.clusterUid !== uid) return answer("foreign");
  if (epoch !== authority.epoch) return answer("behind");
  const fence = tables.city(city).fence ?? NO_FENCE;
  const rise = compare({ epoch: authority.epoch, token }, fence);
  if (rise < 0 || (rise === 0 && fence.holder !== holder)) return answer("behind");
  if (rise > 0) raiseFence(tables, { city, epoch: authority.epoch, token, holder }, nowMs);
  return answer("claimed", authority.epoch, fence);
}

function sealCity(tables: FakeTables, values: readonly SqlValue[], nowMs: number): ResultSets {
  const [city, uid] = [String(values[0]), values[1]];
  const token = BigInt(String(values[2]));
  const { authority } = tables;
  if (authority === undefined || authority.clusterUid !== uid) return [[{ outcome: "foreign", epoch: null }]];
  const fence = tables.city(city).fence ?? NO_FENCE;
  const rise = compare({ epoch: authority.epoch, token }, fence);
  if (rise < 0) return [[{ outcome: "behind", epoch: null }]];
  if (rise > 0 || fence.holder !== null) {
    raiseFence(tables, { city, epoch: authority.epoch, token, holder: null }, nowMs);
  }
  return [[{ outcome: "sealed", epoch: String(authority.epoch) }]];
}

function raiseFence(
  tables: FakeTables,
  to: {
    readonly city: string;
    readonly epoch: bigint;
    readonly token: bigint;
    readonly holder: string | null;
  },
  nowMs: number,
): void {
  const { city, epoch, token, holder } = to;
  const fence = tables.city(city).fence ?? NO_FENCE;
  const claim = fence.claims + 1n;
  tables.setFence(city, {
    ...fence,
    epoch,
    token,
    holder,
    claims: claim,
    claimedAtMs: nowMs,
    changedAtMs: nowMs,
  });
  tables.addClaim(city, { claim, epoch, token, holder, tick: fence.tick, claimedAtMs: nowMs });
}

function commitTick(tables: FakeTables, values: readonly SqlValue[], nowMs: number): ResultSets {
  const city = String(values[0]);
  const [epoch, token, tick] = values.slice(1, 4).map((value) => BigInt(String(value))) as [
    bigint,
    bigint,
    bigint,
  ];
  const commitId = String(values[4]);
  const previousCommitId = values[5] === null ? null : String(values[5]);
  const { fence, ticks } = tables.city(city);
  const done = ticks.findLast((row) => row.tick <= tick);
  if (done?.tick === tick && done.commitId === commitId) {
    return [[{ outcome: "repeated", dropped: done.dropped }]];
  }
  if (fence === undefined || fence.holder === null || compare({ epoch, token }, fence) !== 0) {
    return [[{ outcome: "fenced", dropped: null }]];
  }
  if (tick !== fence.tick + 1n) return [[{ outcome: "outpaced", dropped: null }]];
  if (previousCommitId !== fence.commitId) return [[{ outcome: "outpaced", dropped: null }]];
  const { sent, dropped } = applyDecisions(tables, { city, tick, decisions: String(values[10]) });
  const [slotMs, periodMs] = [Number(values[6]), Number(values[7])];
  tables.addTick(city, {
    tick,
    epoch,
    token,
    holder: fence.holder,
    commitId,
    previousCommitId,
    slotMs,
    periodMs,
    snapshotTick: BigInt(String(values[8])),
    decisions: sent,
    dropped,
    isDegraded: values[9] !== 0,
    committedAtMs: nowMs,
  });
  tables.setFence(city, {
    ...fence,
    tick,
    slotMs,
    periodMs,
    commitId,
    committedAtMs: nowMs,
    changedAtMs: nowMs,
    degraded: Number(values[9]),
  });
  return [[{ outcome: "committed", dropped }]];
}

function readSnapshot(tables: FakeTables, values: readonly SqlValue[], nowMs: number): ResultSets {
  const rows = tables.city(String(values[0]));
  const { fence } = rows;
  return [
    [
      {
        database_time_ms: String(nowMs),
        epoch: text(fence?.epoch),
        token: text(fence?.token),
        holder: fence?.holder ?? null,
        tick: text(fence?.tick),
        commit_id: fence?.commitId ?? null,
      },
    ],
    openOrders(rows),
    availableCouriers(rows, nowMs),
  ];
}

function pruneTicks(tables: FakeTables, values: readonly SqlValue[], nowMs: number): ResultSets {
  const [afterCity, cutoffMs] = [String(values[0]), nowMs - Number(values[1])];
  const [citiesMax, ticksMax] = [Number(values[2]), Number(values[3])];
  const cities = tables.cities
    .filter((city) => city > afterCity && tables.city(city).fence !== undefined)
    .slice(0, citiesMax);
  let pruned = 0;
  for (const city of cities) {
    const { ticks, claims } = tables.city(city);
    const last = ticks.at(-1)?.tick;
    const kept = ticks.findIndex(
      (row, index) => index >= ticksMax || row.tick === last || row.committedAtMs >= cutoffMs,
    );
    if (kept > 0) tables.pruneTicks(city, kept);
    pruned += Math.max(0, kept);
    // The claim that the oldest remaining tick was committed under stays, and every later one.
    const first = ticks[0]?.tick ?? 0n;
    const inForce = claims.findLastIndex((claim) => claim.tick < first);
    const old = claims.findIndex((claim, index) => index >= inForce || claim.claimedAtMs >= cutoffMs);
    if (old > 0) tables.pruneClaims(city, old);
  }
  return [[{ pruned, last_city: cities.length < citiesMax ? null : (cities.at(-1) ?? null) }]];
}

function readProgress(tables: FakeTables, sinceMs: number, nowMs: number): readonly Row[] {
  const always = {
    database_time_ms: String(nowMs),
    authority_epoch: text(tables.authority?.epoch),
    authority_cluster_uid: tables.authority?.clusterUid ?? null,
  };
  const rows: Row[] = [];
  for (const city of tables.cities) {
    const { fence } = tables.city(city);
    if (fence === undefined || fence.changedAtMs < sinceMs) continue;
    rows.push({
      ...always,
      city,
      epoch: String(fence.epoch),
      token: String(fence.token),
      holder: fence.holder,
      tick: String(fence.tick),
      slot_ms: text(fence.slotMs),
      claimed_at: new Date(fence.claimedAtMs),
      committed_at: fence.committedAtMs === null ? null : new Date(fence.committedAtMs),
      changed_at: new Date(fence.changedAtMs),
      degraded: fence.degraded,
    });
  }
  return rows.length > 0 ? rows : [{ ...always, city: null }];
}

function authorityRow({ authority }: FakeTables): ResultSets {
  return [
    authority === undefined ? [] : [{ epoch: String(authority.epoch), cluster_uid: authority.clusterUid }],
  ];
}

type EpochToken = { readonly epoch: bigint; readonly token: bigint };

function compare(left: EpochToken, right: EpochToken): number {
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
  return left.token === right.token ? 0 : left.token < right.token ? -1 : 1;
}

/** A number of the database as the driver hands it over. */
function text(value: bigint | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
