import { assert } from "../runtime/errors.ts";
import type { Database, Row } from "./pool.ts";
import { bigintOf } from "./rows.ts";

/** Which Kubernetes cluster may hand out tokens for this database, and in which epoch. Errors: those of Database. */
export type AuthorityRow = { readonly epoch: bigint; readonly clusterUid: string };

export async function readAuthority(
  database: Database,
  signal: AbortSignal,
): Promise<AuthorityRow | undefined> {
  const rows = await database.query("SELECT epoch, cluster_uid FROM authority WHERE id = 1", [], signal);
  return rows[0] === undefined ? undefined : authorityOf(rows[0]);
}

/** Takes an empty database for this cluster; returns whose it is then. */
export async function establishAuthority(
  database: Database,
  clusterUid: string,
  signal: AbortSignal,
): Promise<AuthorityRow> {
  return callForAuthority(database, "CALL establish_authority(?)", [clusterUid], signal);
}

/**
 * A person's order: from now on tokens come from this cluster, in the next epoch. The old cluster's holders commit on, city
 * by city, until the new one's claim. The cluster that has the authority already changes nothing.
 */
export async function takeAuthority(
  database: Database,
  clusterUid: string,
  signal: AbortSignal,
): Promise<AuthorityRow> {
  return callForAuthority(database, "CALL take_authority(?)", [clusterUid], signal);
}

/**
 * After the cluster's resourceVersions went back (a restored etcd): the next epoch, if the authority is still this
 * cluster's and its epoch the expected one. Returns the row as it then is.
 */
export async function raiseEpoch(
  database: Database,
  request: { readonly clusterUid: string; readonly expectedEpoch: bigint },
  signal: AbortSignal,
): Promise<AuthorityRow | undefined> {
  const { clusterUid, expectedEpoch } = request;
  const [rows] = await database.call("CALL raise_epoch(?, ?)", [clusterUid, expectedEpoch], signal);
  return rows?.[0] === undefined ? undefined : authorityOf(rows[0]);
}

/** A person's order, before etcd is restored: whoever has the authority goes on in the next epoch. Undefined: nobody has it. */
export async function raisePresentEpoch(
  database: Database,
  signal: AbortSignal,
): Promise<AuthorityRow | undefined> {
  const present = await readAuthority(database, signal);
  if (present === undefined) return undefined;
  return raiseEpoch(database, { clusterUid: present.clusterUid, expectedEpoch: present.epoch }, signal);
}

async function callForAuthority(
  database: Database,
  sql: string,
  values: readonly string[],
  signal: AbortSignal,
): Promise<AuthorityRow> {
  const [rows] = await database.call(sql, values, signal);
  const row = rows?.[0];
  assert(row !== undefined, "the authority is there after it was written");
  return authorityOf(row);
}

function authorityOf(row: Row): AuthorityRow {
  return { epoch: bigintOf(row["epoch"]), clusterUid: String(row["cluster_uid"]) };
}
