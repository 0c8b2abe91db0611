import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import type { Log } from "../runtime/log.ts";
import type { Database } from "./pool.ts";

/** Whether a process can work with its database, for its readiness: asked now and then, whatever else the process does. */
export type DatabaseHealth = {
  /** Asks until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** What is wrong, in a sentence; undefined when the last answer was as it should be. */
  trouble(): string | undefined;
  /** Whether it answered when it was asked last; true before that. */
  isReachable(): boolean;
};

const GOOD_INTERVAL_MS = 5_000;
const TROUBLE_INTERVAL_MS = 1_000;
const LIMIT_MS = 2_000;

export function createDatabaseHealth(input: {
  readonly database: Database;
  /** Names of the schema's files that this version works with, see protocolFiles. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}): DatabaseHealth {
  const { database, files, clock, log } = input;
  let trouble: string | undefined = "the database has not answered yet";
  let isReachable = true;

  async function look(signal: AbortSignal): Promise<string | undefined> {
    try {
      const rows = await withDeadline(
        { clock, what: "the look at the database", limitMs: LIMIT_MS, signal },
        (limited) => database.query("SELECT name FROM schema_version", [], limited),
      );
      isReachable = true;
      const applied = new Set(rows.map((row) => row["name"]));
      const missing = files.filter((name) => !applied.has(name));
      return missing.length === 0
        ? undefined
        : `the database lacks ${missing.join(", ")}: run the migration of this version`;
    } catch (error) {
      if (!isOperational(error)) throw error;
      isReachable = false;
      return error.message;
    }
  }

  return {
    trouble: () => trouble,
    isReachable: () => isReachable,
    async run(signal) {
      while (!signal.aborted) {
        const found = await look(signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
          return trouble;
        });
        if (signal.aborted) return;
        if (found !== trouble) {
          if (found === undefined) log.info({}, "database found usable");
          else log.warn({ because: found }, "database found unusable");
        }
        trouble = found;
        const intervalMs = trouble === undefined ? GOOD_INTERVAL_MS : TROUBLE_INTERVAL_MS;
        await clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    },
  };
}
