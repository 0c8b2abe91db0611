import type { Row, SqlValue } from "../../db/pool.ts";
import type { Random } from "../../local/traffic/random.ts";
import { callProcedure, runQuery, type ResultSets } from "../support/fake-procedures.ts";
import { FakeTables } from "../support/fake-tables.ts";
import { networkError, type Server } from "./network.ts";
import type { VirtualTime } from "./time.ts";

/** One connection's session on the server: killed, it executes nothing more. */
export type Session = { isKilled: boolean };

/** A statement that was executed, for whoever keeps the history. */
export type Statement = {
  readonly process: string;
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** What a procedure of the protocol says it did. */
  readonly outcome: string | undefined;
};

/** The MySQL server: the fake tables, a clock of its own, locks that take long to get, fail-overs that lose what was last. */
export class DatabaseServer implements Server {
  readonly tables: FakeTables;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #onStatement: (statement: Statement) => void;
  #sessions = new Set<Session>();
  #wallOffsetMs: number;
  isDown = false;
  /** How long a statement that locks waits for its lock at most. */
  lockWaitMaxMs = 0;
  /** Share of the orders to kill a session that have no effect. */
  lostKills = 0;
  /** Share of statements that are the victim of a deadlock. */
  deadlocks = 0;

  constructor(input: {
    readonly time: VirtualTime;
    readonly random: Random;
    readonly wallStartMs: number;
    readonly onStatement: (statement: Statement) => void;
  }) {
    this.#time = input.time;
    this.tables = new FakeTables(() => input.time.nowMs);
    this.#random = input.random;
    this.#wallOffsetMs = input.wallStartMs;
    this.#onStatement = input.onStatement;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#time.nowMs;
  }

  jumpWall(durationMs: number): void {
    this.#wallOffsetMs += durationMs;
  }

  session(): Session {
    return { isKilled: false };
  }

  async kill(session: Session): Promise<void> {
    if (this.#random() >= this.lostKills) session.isKilled = true;
    return Promise.resolve();
  }

  /** Nobody's session survives. `lostMs`: the new primary has nothing of the last so many milliseconds. */
  failOver(lostMs: number): void {
    for (const session of this.#sessions) session.isKilled = true;
    this.#sessions = new Set();
    // The journal runs on virtual time, which no clock jump changes.
    if (lostMs > 0) this.tables.loseSince(this.#time.nowMs - lostMs);
  }

  async execute(session: Session, { process, sql, values }: Omit<Statement, "outcome">): Promise<ResultSets> {
    this.#sessions.add(session);
    try {
      const waitMs = /commit_tick|claim_city|seal_city/.test(sql) ? this.lockWaitMaxMs * this.#random() : 0;
      if (waitMs > 0) await new Promise<void>((resolve) => void this.#time.after(waitMs, resolve));
      if (this.isDown || session.isKilled) throw networkError("PROTOCOL_CONNECTION_LOST");
      if (this.#random() < this.deadlocks) {
        throw Object.assign(new Error("Deadlock found"), {
          errno: 1213,
          sqlState: "40001",
          code: "ER_LOCK_DEADLOCK",
        });
      }
      const results = sql.startsWith("CALL ")
        ? callProcedure(this.tables, sql, values, this.wallMs())
        : [runQuery(this.tables, sql, values, this.wallMs())];
      this.#onStatement({ process, sql, values, outcome: outcomeOf(results) });
      return results;
    } finally {
      this.#sessions.delete(session);
    }
  }
}

/** The outcome that a procedure of the protocol returns; undefined for any other statement. */
export function outcomeOf(results: ResultSets): string | undefined {
  const row: Row | undefined = results[0]?.[0];
  return typeof row?.["outcome"] === "string" ? row["outcome"] : undefined;
}
