import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import type { FencingToken } from "../../crds/token.ts";
import { ACCOUNT_ROLES, accountName, type AccountRole } from "../../db/accounts.ts";
import { migrate } from "../../db/migrate.ts";
import type { ClaimRequest, CommitRequest, DecisionRow } from "../../db/fence.ts";
import { openDatabase, type Database } from "../../db/pool.ts";
import { startMysql, type MysqlServer } from "../../local/mysql/mysql-server.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLog } from "../../runtime/log.ts";

/** A real MySQL for tests: one server per test file, one database per test. */

export const CLUSTER = "11111111-2222-4333-8444-555555555555";

/** The commit id that tests give a tick of this number, so that the next one can present it. */
export function commitIdOf(tick: bigint): string {
  return `00000000-0000-4000-8000-${String(tick).padStart(12, "0")}`;
}

/** "o1 c1", "o2 c1 2" for the second door of a bundle, "o3 c2 1 c1" for one that is taken from c1. */
export function decisionOf(text: string): DecisionRow {
  const [order = "", courier = "", stop = "1", from] = text.split(" ");
  return { order, courier, stop: Number(stop), from };
}

/** What a commit says of its tick when it builds on one that `commitIdOf` names. */
export function chained(
  tick: bigint,
): Pick<CommitRequest, "tick" | "commitId" | "previousCommitId" | "snapshotTick"> {
  const previousCommitId = tick === 1n ? undefined : commitIdOf(tick - 1n);
  return { tick, commitId: commitIdOf(tick), previousCommitId, snapshotTick: tick - 1n };
}

/** A first start on a machine fetches the server; afterwards a second is enough. */
export const MYSQL_START_LIMIT_MS = 180_000;
const CALL_LIMIT_MS = 10_000;

export type TestMysql = MysqlServer & {
  /** Ends the server at once and removes its files. */
  close(): Promise<void>;
};

export async function startTestMysql(): Promise<TestMysql> {
  const directory = await mkdtemp(join(tmpdir(), "city-operator-mysql-"));
  const server = await startMysql({
    directory,
    progress: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
  return Object.assign(server, {
    async close() {
      await server.kill();
      await rm(directory, { recursive: true, force: true });
    },
  });
}

export type TestDatabase = {
  readonly name: string;
  readonly urls: Readonly<Record<AccountRole | "admin", string>>;
  /** Opens a database as one of the accounts; `port` for one behind a proxy. Closed by `close`. */
  open(
    role: AccountRole | "admin",
    options?: { readonly port?: number; readonly connectionsMax?: number },
  ): Database;
  /** Runs statements as the administrator and returns the rows of the last one. */
  sql(...statements: readonly string[]): Promise<RowDataPacket[]>;
  /** A connection of the administrator's own, for locks and tampering. Ended by `close`. */
  connect(): Promise<Connection>;
  close(): Promise<void>;
};

let databases = 0;

/** A migrated database of its own. The authority is CLUSTER's, in epoch 1, unless said otherwise. */
export async function freshDatabase(
  server: MysqlServer,
  options: { readonly authority?: boolean } = {},
): Promise<TestDatabase> {
  databases += 1;
  const name = `test${process.pid % 100_000}x${databases}`;
  const passwords = { worker: "worker-pass", operator: "operator-pass", feed: "feed-pass" };
  const admin = `${server.url}/${name}`;
  await migrate({ url: admin, passwords, progress: () => undefined }, AbortSignal.timeout(30_000));
  const urls = {
    admin,
    ...(Object.fromEntries(
      ACCOUNT_ROLES.map((role) => [
        role,
        `mysql://${accountName(name, role)}:${passwords[role]}@127.0.0.1:${server.port}/${name}`,
      ]),
    ) as Record<AccountRole, string>),
  };
  const opened: { close(): Promise<void> }[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = await createConnection({ uri: admin, timezone: "Z", multipleStatements: true });
    await connection.query("SET time_zone = '+00:00'");
    opened.push({
      close: async () => {
        connection.destroy();
      },
    });
    return connection;
  };
  const sql = async (...statements: readonly string[]): Promise<RowDataPacket[]> => {
    const connection = await connect();
    let rows: RowDataPacket[] = [];
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement);
    connection.destroy();
    return rows;
  };
  if (options.authority ?? true) await sql(`CALL establish_authority('${CLUSTER}')`);
  return {
    name,
    urls,
    open(role, { port, connectionsMax = 4 } = {}) {
      const url = new URL(urls[role]);
      if (port !== undefined) url.port = String(port);
      const database = openDatabase({ url: url.href, connectionsMax, log: silentLog, clock: systemClock });
      opened.push(database);
      return database;
    },
    sql,
    connect,
    async close() {
      await Promise.all(opened.splice(0).map((item) => item.close()));
    },
  };
}

export function within(limitMs: number = CALL_LIMIT_MS): AbortSignal {
  return AbortSignal.timeout(limitMs);
}

export function tokenOf(value: number | bigint): FencingToken {
  return BigInt(value) as FencingToken;
}

/** A claim of Madrid with that token, by a worker named after it. */
export function claimOf(token: number, fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    city: "madrid",
    clusterUid: CLUSTER,
    epoch: 1n,
    token: tokenOf(token),
    holder: `w${token}`,
    ...fields,
  };
}
