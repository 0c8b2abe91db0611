import { OperationalError, type Remedy } from "../runtime/errors.ts";

/** What MySQL and the driver say, translated once, where it is first seen. */

export const DATABASE_ERROR_CODES = [
  /** No connection, or it broke, or the server is not in a state to serve: a statement that was sent is in doubt. */
  "database-unreachable",
  /** The caller's deadline passed, or its turn for a connection never came: a statement that was sent is in doubt. */
  "database-timeout",
  /** The server chose this transaction to end a lock conflict and rolled it back. */
  "database-deadlock",
  "database-denied",
  /** A table, view or procedure is missing: the schema is not that of this version. */
  "database-schema",
  /** The server refused the statement; nothing of it was done. */
  "database-statement",
  /** The URL, or the authorities' certificates that it is used with, cannot be used; nothing was sent. */
  "database-url",
] as const;

export type DatabaseErrorCode = (typeof DATABASE_ERROR_CODES)[number];

const REMEDIES: Readonly<Record<DatabaseErrorCode, Remedy>> = {
  "database-unreachable": "retry",
  "database-timeout": "retry",
  "database-deadlock": "retry",
  "database-denied": "give-up",
  "database-schema": "give-up",
  "database-statement": "give-up",
  "database-url": "give-up",
};

const DEADLOCK = new Set([1205, 1213]);
const DENIED = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1698, 3118]);
const SCHEMA = new Set([1049, 1054, 1146, 1305, 1318, 1356]);
/** Refused for what is in it, although MySQL files these under its general SQLSTATE. */
const STATEMENT = new Set([1364, 1366, 1411, 1525, 3819]);
/** Too many connections: SQLSTATE 42000, but it heals by itself. */
const BUSY = new Set([1203, 1226]);

/** Errors that are not MySQL's (our own mistakes, aborts) come back as they are. */
export function databaseError(error: unknown): unknown {
  if (!Error.isError(error) || error instanceof OperationalError) return error;
  const { errno, sqlState, code, fatal } = error as DriverError;
  if (typeof errno === "number" && typeof sqlState === "string") {
    return operational(codeOf(errno, sqlState), error);
  }
  // Without a SQLSTATE it did not come from the server, but from the network or the driver.
  if (typeof code === "string" || fatal === true) return operational("database-unreachable", error);
  if (error.message === "Queue limit reached.") return operational("database-timeout", error);
  return error;
}

/** Whether a statement that ended with this error surely changed nothing, even if it had been sent. */
export function surelyChangedNothing(error: OperationalError): boolean {
  return (
    error.code === "database-deadlock" ||
    error.code === "database-denied" ||
    error.code === "database-schema" ||
    error.code === "database-statement" ||
    error.code === "database-url"
  );
}

/**
 * Why a wait was given up, from its signal: a deadline is a `database-timeout`, whatever kind of deadline it was; what the
 * caller cancelled stays the caller's reason.
 */
export function abortError(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  const isDeadline =
    (reason instanceof OperationalError && reason.code === "deadline-exceeded") ||
    (Error.isError(reason) && reason.name === "TimeoutError");
  return isDeadline ? operational("database-timeout", reason) : reason;
}

type DriverError = Error & {
  readonly errno?: number;
  readonly sqlState?: string;
  readonly code?: string;
  readonly fatal?: boolean;
};

function codeOf(errno: number, sqlState: string): DatabaseErrorCode {
  if (DEADLOCK.has(errno)) return "database-deadlock";
  if (DENIED.has(errno)) return "database-denied";
  if (SCHEMA.has(errno)) return "database-schema";
  if (BUSY.has(errno)) return "database-unreachable";
  if (STATEMENT.has(errno) || /^(21|22|23|25|42|45)/.test(sqlState)) return "database-statement";
  // Shutting down, read-only after a failover, killed, disk full, …: it may have happened in the middle of a commit.
  return "database-unreachable";
}

function operational(code: DatabaseErrorCode, cause: Error): OperationalError {
  const hint =
    code === "database-schema" ? ": run the migration of this version (`node db/main.ts migrate`)" : "";
  return new OperationalError({
    code,
    remedy: REMEDIES[code],
    message: `MySQL: ${cause.message || (cause as DriverError).code}${hint}`,
    cause,
  });
}
