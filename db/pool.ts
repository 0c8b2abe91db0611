import type { Pool, PoolConnection } from "mysql2/promise";
import { abortable } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ChangingText } from "../runtime/environment.ts";
import type { Log } from "../runtime/log.ts";
import type { SslSettings } from "./connection-options.ts";
import { abortError, databaseError, surelyChangedNothing } from "./database-error.ts";
import { isOperational } from "../runtime/errors.ts";
import { Pools } from "./pools.ts";
import type { StatementKiller } from "./statement-killer.ts";

/** A column's value: BIGINT and DECIMAL as text, DATETIME as Date, JSON as what it holds. */
export type Row = Readonly<Record<string, unknown>>;

export type SqlValue = string | number | boolean | bigint | Date | Buffer | null;

export type Query = (
  sql: string,
  values: readonly SqlValue[],
  signal: AbortSignal,
) => Promise<readonly Row[]>;

/**
 * Connections to MySQL. Every call takes the caller's deadline as a signal and throws an OperationalError with one of the
 * codes of DatabaseErrorCode, or the reason with which the caller cancelled. When the signal aborts, the statement is
 * killed on the server before the call rejects, and the session is never used again: no lock outlives its caller.
 */
export type Database = {
  /** The rows of one statement. */
  readonly query: Query;
  /** The result sets of one CALL, in order. `onSend` runs just before the statement goes out: from then on it may have had its effect. */
  call(
    sql: string,
    values: readonly SqlValue[],
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<readonly (readonly Row[])[]>;
  /** Runs `work` on one consistent read-only snapshot. */
  readConsistently<Result>(work: (query: Query) => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** Lets the calls under way end, then closes every connection. */
  close(): Promise<void>;
};

/** How long a call that was given up waits for its statement to be gone. */
const KILL_LIMIT_MS = 1_500;

/** Opens nothing until the first call. `url`, which may change meanwhile, and `ssl`: see connectionOptions. */
export function openDatabase(input: {
  readonly url: string | ChangingText;
  readonly ssl?: SslSettings;
  readonly connectionsMax: number;
  readonly log: Log;
  readonly clock: Clock;
}): Database {
  const { url, ssl = {} } = input;
  const pools = new Pools({ ...input, ssl, url: typeof url === "string" ? () => url : url });
  const underWay = new Set<Promise<unknown>>();

  /** Runs `work` on a session of its own, and decides what becomes of the session. */
  async function onSession<Result>(
    work: (session: Session) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const connections = pools.take();
    try {
      const connection = await acquire(connections.pool, signal);
      const name = connections.nameOf(connection.connection);
      const { killer } = connections;
      const session = new Session({ connection, name, clock: input.clock, killer }, signal);
      try {
        const result = await work(session);
        connection.release();
        return result;
      } catch (error) {
        // After an answer of the server that says what it did, a session is as good as before.
        if (session.isInDoubt || !isOperational(error) || !surelyChangedNothing(error)) connection.destroy();
        else connection.release();
        throw error;
      }
    } finally {
      pools.giveBack(connections);
    }
  }

  async function acquire(pool: Pool, signal: AbortSignal): Promise<PoolConnection> {
    if (signal.aborted) throw abortError(signal);
    const arriving = pool.getConnection();
    try {
      return await abortable(arriving, signal);
    } catch (error) {
      if (!signal.aborted) throw databaseError(error);
      arriving.then(
        (connection) => {
          connection.release();
        },
        () => undefined,
      );
      throw abortError(signal);
    }
  }

  async function owned<Result>(running: Promise<Result>): Promise<Result> {
    underWay.add(running);
    try {
      return await running;
    } finally {
      underWay.delete(running);
    }
  }

  return {
    query: (sql, values, signal) => owned(onSession((session) => session.query(sql, values), signal)),
    call: (sql, values, signal, onSend) =>
      owned(onSession((session) => session.call(sql, values, onSend), signal)),
    readConsistently: (work, signal) =>
      owned(
        onSession(async (session) => {
          await session.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", []);
          try {
            const result = await work((sql, values) => session.query(sql, values));
            await session.query("COMMIT", []);
            return result;
          } catch (error) {
            session.giveUp();
            throw error;
          }
        }, signal),
      ),
    async close() {
      await Promise.allSettled(underWay);
      await pools.close();
    },
  };
}

type SessionInput = {
  readonly connection: PoolConnection;
  /** What the session's named lock is called. */
  readonly name: string;
  readonly clock: Clock;
  readonly killer: StatementKiller;
};

/** One connection for as long as one caller has it. */
class Session {
  readonly #input: SessionInput;
  readonly #signal: AbortSignal;
  #isInDoubt = false;

  constructor(input: SessionInput, signal: AbortSignal) {
    this.#input = input;
    this.#signal = signal;
  }

  /** True once nobody can say what the session is doing: it must not be used again. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  giveUp(): void {
    this.#isInDoubt = true;
  }

  async query(sql: string, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#run(sql, values)) as readonly Row[];
  }

  async call(
    sql: string,
    values: readonly SqlValue[],
    onSend?: () => void,
  ): Promise<readonly (readonly Row[])[]> {
    const results = (await this.#run(sql, values, onSend)) as readonly unknown[];
    // After the rows of its result sets, a CALL returns a header that is not an array.
    return results.filter((result) => Array.isArray(result)) as readonly (readonly Row[])[];
  }

  async #run(sql: string, values: readonly SqlValue[], onSend?: () => void): Promise<unknown> {
    if (this.#signal.aborted) throw abortError(this.#signal);
    onSend?.();
    const running = this.#input.connection.query(sql, values.map(plain));
    try {
      const [result] = await abortable(running, this.#signal);
      return result;
    } catch (error) {
      if (!this.#signal.aborted) throw databaseError(error);
      this.#isInDoubt = true;
      await this.#stopOnServer(running);
      throw abortError(this.#signal);
    }
  }

  /** Resolves when the statement is gone with its locks, as far as that can be known within the limit. */
  async #stopOnServer(running: Promise<unknown>): Promise<void> {
    const { connection, name, clock, killer } = this.#input;
    const startedMs = clock.monotonicMs();
    const gone = running.then(
      () => undefined,
      () => undefined,
    );
    await killer.kill({ name, threadId: connection.threadId }, KILL_LIMIT_MS);
    const leftMs = Math.max(0, KILL_LIMIT_MS - (clock.monotonicMs() - startedMs));
    const late = Promise.withResolvers<undefined>();
    const cancel = clock.schedule(leftMs, () => {
      late.resolve(undefined);
    });
    await Promise.race([gone, late.promise]);
    cancel();
  }
}

/** The driver writes what it is given as a literal; a BIGINT as its digits, which MySQL reads exactly. */
function plain(value: SqlValue): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
