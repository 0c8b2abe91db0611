import { createConnection, type Connection, type ConnectionOptions } from "mysql2/promise";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

/** How a session is called: the random name that it took a lock under, and its number on the server. */
export type SessionName = { readonly name: string; readonly threadId: number };

type DriverError = Error & { readonly code?: string };

const ASK_OTHERWISE = new Set([
  "ER_KILL_DENIED_ERROR",
  "ER_NO_SUCH_THREAD",
  "ER_SP_DOES_NOT_EXIST",
  "ER_PROCACCESS_DENIED_ERROR",
  "ER_NO_DB_ERROR",
]);

/**
 * Ends server-side sessions from a connection of its own. Closing a socket does not stop the statement that the server is
 * working on, and its row locks stay: the next holder would wait for as long as that statement runs.
 *
 * One connection serves all kills that are under way: when a thousand ticks meet a hanging server and give up at once,
 * they must not open a thousand connections more.
 */
export class StatementKiller {
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #connection: Promise<Connection> | undefined;
  #pending = 0;

  constructor(input: { readonly options: ConnectionOptions; readonly clock: Clock; readonly log: Log }) {
    this.#options = input.options;
    this.#clock = input.clock;
    this.#log = input.log;
  }

  /** Resolves when the server has taken the order, or after `limitMs`; a kill that fails leaves the rest to the server. */
  async kill(session: SessionName, limitMs: number): Promise<void> {
    this.#pending += 1;
    const late = Promise.withResolvers<"late">();
    const cancel = this.#clock.schedule(limitMs, () => {
      late.resolve("late");
    });
    try {
      const outcome = await Promise.race([this.#send(session), late.promise]);
      if (outcome === "late") {
        this.#log.warn({ because: "timeout", durationMs: limitMs }, "statement not killed");
        this.#drop();
      }
    } catch (error) {
      this.#log.warn({ err: error }, "statement not killed");
      this.#drop();
    } finally {
      cancel();
      this.#pending -= 1;
      if (this.#pending === 0) this.#drop();
    }
  }

  async #send({ name, threadId }: SessionName): Promise<"killed"> {
    this.#connection ??= this.#open();
    const connection = await this.#connection;
    try {
      await connection.query("CALL kill_session(?)", [name]);
    } catch (error) {
      // A thread outside of any procedure belongs to our own account, and is killed by its number; so it is on a
      // database without our procedures.
      if (!ASK_OTHERWISE.has((error as DriverError).code ?? "")) throw error;
      await connection.query(`KILL CONNECTION ${threadId}`).catch((failure: DriverError) => {
        // It has ended by itself meanwhile: just what was wanted.
        if (failure.code !== "ER_NO_SUCH_THREAD") throw failure;
      });
    }
    return "killed";
  }

  async #open(): Promise<Connection> {
    const connection = await createConnection(this.#options);
    // Without a listener, an error between two kills would end the process; the next kill finds out by itself.
    connection.on("error", () => {
      this.#drop();
    });
    return connection;
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then(
      (open) => {
        open.destroy();
      },
      () => undefined,
    );
  }
}
