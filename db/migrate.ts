import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { abortable } from "../runtime/abort.ts";
import { OperationalError } from "../runtime/errors.ts";
import { ACCOUNT_ROLES, accountName, ensureAccounts, type AccountPasswords } from "./accounts.ts";
import { connectionOptions, databaseOf, parseDatabaseUrl, type SslSettings } from "./connection-options.ts";
import { readContractStructure } from "./contract/catalog.ts";
import { missingObjects, structureMistakes } from "./contract/structure.ts";
import { databaseError } from "./database-error.ts";
import { procedureName, readSchema, type SchemaFile } from "./schema-files.ts";

/**
 * Brings a database to the schema of this version: tables by numbered files, each once; views and procedures whenever
 * their text changed; accounts and grants every time. Safe to repeat, and two at once are harmless. Everything is
 * compatible with processes of the version before, so it runs first in an upgrade, without stopping anything.
 */

export type MigrateInput = {
  /** An administrator's URL with the name of the database, which is created when missing. */
  readonly url: string;
  readonly ssl?: SslSettings;
  /** When given, the accounts can log in with these; else they are roles to be granted to accounts of one's own. */
  readonly passwords?: AccountPasswords;
  /** False: the company's own schema defines the data contract; see docs. */
  readonly reference?: boolean;
  readonly progress: (line: string) => void;
};

const CONNECT_LIMIT_MS = 5_000;
const LOCK_POLL_S = 1;
const VERSION_MIN = "8.4";
const SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO";

/**
 * Errors: those of databaseError, `database-version` for a server that is not MySQL 8.4 or later, and `database-contract` for a
 * company's own schema that lacks what this version reads; then nothing was changed.
 */
export async function migrate(input: MigrateInput, signal: AbortSignal): Promise<void> {
  const url = parseDatabaseUrl(input.url);
  const database = databaseOf(url);
  if (!/^[a-z][a-z0-9_]{0,22}$/.test(database)) {
    throw new OperationalError({
      code: "database-name",
      remedy: "give-up",
      message: `${JSON.stringify(database)} cannot be the database's name: write a letter and up to 22 of a-z, 0-9 and _, as accounts are named after it`,
    });
  }
  url.pathname = "/";
  try {
    const connection = await abortable(
      createConnection({
        ...connectionOptions(url.href, input.ssl),
        timezone: "Z",
        connectTimeout: CONNECT_LIMIT_MS,
      }),
      signal,
    );
    // Destroying the connection ends the statement's wait on our side and, with the session, the named lock on the other.
    const onAbort = (): void => {
      connection.destroy();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await abortable(migrateOver(connection, database, input, signal), signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      connection.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw databaseError(error);
  }
}

async function migrateOver(
  connection: Connection,
  database: string,
  input: MigrateInput,
  signal: AbortSignal,
): Promise<void> {
  await checkVersion(connection);
  await connection.query(`SET SESSION sql_mode = '${SQL_MODE}', time_zone = '+00:00'`);
  await ensureDatabase(connection, database);
  await connection.query(`USE \`${database}\``);
  await takeNamedLock(connection, database, input.progress, signal);
  await connection.query(`
    CREATE TABLE IF NOT EXISTS schema_version (
      name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      applied_at DATETIME(3) NOT NULL
    )`);
  if (!(input.reference ?? true)) await checkOwnSchema(connection, input.progress);
  await ensureAccounts(connection, database, input.passwords);
  // What reads the data contract comes after it: between the two, a view has columns that nobody reads yet.
  const reference = (input.reference ?? true) ? await readSchema("reference") : [];
  const files = [...reference, ...(await readSchema("protocol"))];
  const grants = files
    .filter(({ kind }) => kind === "grants")
    .flatMap(({ statements }) => statements.map((statement) => withAccounts(statement, database)));
  const applied = await readApplied(connection);
  // Tables of both parts first: definitions of one may read the other's tables.
  const kinds = ["tables", "definition"] as const;
  for (const file of kinds.flatMap((kind) => files.filter((candidate) => candidate.kind === kind))) {
    await applyFile({ connection, file, applied: applied.get(file.name), grants, progress: input.progress });
  }
  for (const grant of grants) await connection.query(grant);
}

async function checkVersion(connection: Connection): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>("SELECT VERSION() AS version");
  const version = String(rows[0]?.["version"]);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (!/mariadb/i.test(version) && (major > 8 || (major === 8 && minor >= 4))) return;
  throw new OperationalError({
    code: "database-version",
    remedy: "give-up",
    message: `the server is ${version}: MySQL ${VERSION_MIN} or later is required`,
  });
}

/** Asks first: an account without the right to create databases may still own this one. */
async function ensureDatabase(connection: Connection, database: string): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?",
    [database],
  );
  if (rows.length > 0) return;
  await connection.query(`CREATE DATABASE IF NOT EXISTS \`${database}\` DEFAULT CHARACTER SET utf8mb4`);
}

/** Held until the connection ends. */
async function takeNamedLock(
  connection: Connection,
  database: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const [rows] = await connection.query<RowDataPacket[]>("SELECT GET_LOCK(?, ?) AS taken", [
      `${database} migration`,
      LOCK_POLL_S,
    ]);
    if (Number(rows[0]?.["taken"]) === 1) return;
    if (attempt === 0) progress("waiting for another migration of this database");
  }
}

/**
 * Before anything changes: a view of an earlier version's contract would leave every worker without a snapshot from the moment
 * on at which `read_snapshot` asks it for more.
 */
async function checkOwnSchema(connection: Connection, progress: (line: string) => void): Promise<void> {
  const structure = await readContractStructure(connection);
  const mistakes = structureMistakes(structure);
  if (mistakes.length > 0) {
    throw new OperationalError({
      code: "database-contract",
      remedy: "give-up",
      message: `nothing was changed, since your schema does not fit this version's data contract:\n${mistakes.join("\n")}`,
    });
  }
  const missing = missingObjects(structure);
  if (missing.length > 0) {
    progress(`still to be created by you: ${missing.join(", ")}; see docs/adapt-your-schema.md`);
  }
}

async function readApplied(connection: Connection): Promise<Map<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>("SELECT name, digest FROM schema_version");
  return new Map(rows.map((row) => [String(row["name"]), String(row["digest"])]));
}

async function applyFile(input: {
  readonly connection: Connection;
  readonly file: SchemaFile;
  readonly applied: string | undefined;
  readonly grants: readonly string[];
  readonly progress: (line: string) => void;
}): Promise<void> {
  const { connection, file, applied, grants } = input;
  if (applied === file.digest) return;
  if (file.kind === "tables" && applied !== undefined) {
    throw new OperationalError({
      code: "database-schema",
      remedy: "give-up",
      message: `${file.name} was changed after it had been applied: write a new numbered file for the difference`,
    });
  }
  for (const statement of file.statements) {
    const procedure = procedureName(statement);
    if (procedure !== undefined) await connection.query(`DROP PROCEDURE IF EXISTS ${procedure}`);
    await connection.query(statement);
    // MySQL drops the grants with the procedure. Callers that meet the gap of a few milliseconds try again.
    for (const grant of grants) {
      if (procedure !== undefined && grant.includes(`PROCEDURE ${procedure} `)) await connection.query(grant);
    }
  }
  await connection.query(
    `INSERT INTO schema_version (name, digest, applied_at) VALUES (?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE digest = VALUES(digest), applied_at = VALUES(applied_at)`,
    [file.name, file.digest],
  );
  input.progress(`applied ${file.name}`);
}

function withAccounts(statement: string, database: string): string {
  return ACCOUNT_ROLES.reduce(
    (text, role) => text.replaceAll(`{${role}}`, `\`${accountName(database, role)}\`@'%'`),
    statement,
  );
}
