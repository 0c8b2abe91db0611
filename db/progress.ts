import type { FencingToken } from "../crds/token.ts";
import type { AuthorityRow } from "./authority.ts";
import { dispatcherFailureOf, type DispatcherFailure } from "./dispatcher-failure.ts";
import type { Database, Row } from "./pool.ts";
import { bigintOf, numberOrUndefined, textOrUndefined, timeMsOf, timeMsOrUndefined } from "./rows.ts";

/** Where a city's fence stands. Times in milliseconds since 1970 on the database's clock. */
export type FenceProgress = {
  readonly city: string;
  readonly epoch: bigint;
  readonly token: FencingToken;
  /** Undefined: sealed. */
  readonly holder: string | undefined;
  /** Number of the last committed tick, 0 when there is none. */
  readonly tick: bigint;
  readonly slotMs: number | undefined;
  readonly claimedAtMs: number;
  readonly committedAtMs: number | undefined;
  readonly changedAtMs: number;
  /** Why the City's own dispatcher did not decide that tick; undefined: it did. */
  readonly dispatcherFailure: DispatcherFailure | undefined;
};

export type ProgressReading = {
  /** When this was read: what to ask from next time, less some overlap for commits that were on their way. */
  readonly databaseTimeMs: number;
  /** Whose tokens the fences take, as of the same moment; undefined on an empty database. */
  readonly authority: AuthorityRow | undefined;
  readonly fences: readonly FenceProgress[];
};

/** The joins keep one row when no fence has changed, for its time. Plan: a range of `city_fence.changed`. */
const CHANGED = `
SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS database_time_ms,
       a.epoch AS authority_epoch, a.cluster_uid AS authority_cluster_uid,
       f.city, f.epoch, f.token, f.holder, f.tick, f.slot_ms, f.claimed_at, f.committed_at, f.changed_at, f.degraded
  FROM (SELECT 1) AS always
  LEFT JOIN authority a ON a.id = 1
  LEFT JOIN city_fence f ON f.changed_at >= ?`;

/** The fences that were claimed, sealed or committed under since then; all of them for undefined. Errors: those of Database. */
export async function readProgress(
  database: Database,
  changedSinceMs: number | undefined,
  signal: AbortSignal,
): Promise<ProgressReading> {
  const rows = await database.query(CHANGED, [new Date(changedSinceMs ?? 0)], signal);
  return {
    databaseTimeMs: Number(rows[0]?.["database_time_ms"]),
    authority: rows[0] === undefined ? undefined : authorityOf(rows[0]),
    fences: rows.filter((row) => row["city"] !== null).map(fenceOf),
  };
}

function authorityOf(row: Row): AuthorityRow | undefined {
  const clusterUid = textOrUndefined(row["authority_cluster_uid"]);
  return clusterUid === undefined ? undefined : { epoch: bigintOf(row["authority_epoch"]), clusterUid };
}

function fenceOf(row: Row): FenceProgress {
  return {
    city: String(row["city"]),
    epoch: bigintOf(row["epoch"]),
    token: bigintOf(row["token"]) as FencingToken,
    holder: textOrUndefined(row["holder"]),
    tick: bigintOf(row["tick"]),
    slotMs: numberOrUndefined(row["slot_ms"]),
    claimedAtMs: timeMsOf(row["claimed_at"]),
    committedAtMs: timeMsOrUndefined(row["committed_at"]),
    changedAtMs: timeMsOf(row["changed_at"]),
    dispatcherFailure: dispatcherFailureOf(row["degraded"]),
  };
}
