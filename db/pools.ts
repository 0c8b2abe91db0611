import { randomUUID } from "node:crypto";
import { createPool, type Pool } from "mysql2/promise";
import type { Clock } from "../runtime/clock.ts";
import type { ChangingText } from "../runtime/environment.ts";
import type { Log } from "../runtime/log.ts";
import { connectionOptions, type SslSettings } from "./connection-options.ts";
import { StatementKiller } from "./statement-killer.ts";

/** The connections made with one URL. */
export type Connections = {
  readonly pool: Pool;
  readonly killer: StatementKiller;
  /** The name of a connection's session, see kill-session.sql. */
  nameOf(connection: object): string;
};

type Generation = Connections & { readonly url: string; users: number };

const CONNECT_LIMIT_MS = 2_000;
const WAITING_PER_CONNECTION_MAX = 200;
/** How soon a changed URL is noticed by whoever wants a session next. */
const URL_AGE_MAX_MS = 1_000;
/** The named lock is how the session is found when it must be killed. */
const SESSION = `
SET SESSION time_zone = '+00:00', transaction_isolation = 'REPEATABLE-READ', @session = GET_LOCK(CONCAT('session ', ?), 0)`;

/**
 * Follows the URL: when it changes (a password was rotated), new sessions come from new connections, and the old ones close
 * when the last session on them has ended.
 */
export class Pools {
  readonly #input: PoolsInput;
  readonly #closing = new Set<Promise<void>>();
  #present: Generation | undefined;
  #lookedMs = -Infinity;
  /** A changed URL that cannot be used. */
  #refused: string | undefined;

  constructor(input: PoolsInput) {
    this.#input = input;
  }

  /** To be given back. Opens nothing by itself. Errors: `database-url`. */
  take(): Connections {
    const generation = this.#latest();
    generation.users += 1;
    return generation;
  }

  giveBack(connections: Connections): void {
    const generation = connections as Generation;
    generation.users -= 1;
    if (generation !== this.#present && generation.users === 0) this.#end(generation);
  }

  /** After everything that was taken has been given back. */
  async close(): Promise<void> {
    if (this.#present !== undefined) this.#end(this.#present);
    this.#present = undefined;
    await Promise.all(this.#closing);
  }

  #latest(): Generation {
    const { url, clock, log } = this.#input;
    const present = this.#present;
    const nowMs = clock.monotonicMs();
    if (present !== undefined && nowMs - this.#lookedMs < URL_AGE_MAX_MS) return present;
    this.#lookedMs = nowMs;
    const latest = url();
    if (present === undefined) {
      this.#present = this.#open(latest);
      return this.#present;
    }
    if (latest === present.url || latest === this.#refused) return present;
    try {
      this.#present = this.#open(latest);
    } catch (error) {
      // What cannot be used takes nothing away that can.
      log.error({ err: error }, "changed database url refused");
      this.#refused = latest;
      return present;
    }
    log.info({}, "database url changed");
    if (present.users === 0) this.#end(present);
    return this.#present;
  }

  #open(url: string): Generation {
    const { connectionsMax, clock, log } = this.#input;
    const options = {
      ...connectionOptions(url, this.#input.ssl),
      timezone: "Z",
      supportBigNumbers: true,
      bigNumberStrings: true,
      multipleStatements: false,
      connectTimeout: CONNECT_LIMIT_MS,
    };
    const pool = createPool({
      ...options,
      connectionLimit: connectionsMax,
      queueLimit: connectionsMax * WAITING_PER_CONNECTION_MAX,
    });
    const names = new WeakMap<object, string>();
    pool.pool.on("connection", (connection) => {
      // Queued before the first statement of whoever waits for this connection, which fails with it.
      const name = randomUUID();
      names.set(connection, name);
      connection.query(SESSION, [name], (error: unknown) => {
        if (error !== null) connection.destroy();
      });
    });
    const killer = new StatementKiller({ options, clock, log });
    return { url, pool, killer, users: 0, nameOf: (connection) => names.get(connection) ?? "" };
  }

  #end(generation: Generation): void {
    const ending = generation.pool.end().finally(() => {
      this.#closing.delete(ending);
    });
    this.#closing.add(ending);
  }
}

export type PoolsInput = {
  readonly url: ChangingText;
  readonly ssl: SslSettings;
  readonly connectionsMax: number;
  readonly log: Log;
  readonly clock: Clock;
};
