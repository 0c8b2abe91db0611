import { abortError, databaseError } from "../../db/database-error.ts";
import type { Database, Query, SqlValue } from "../../db/pool.ts";
import { abortable } from "../../runtime/abort.ts";
import type { ResultSets } from "../support/fake-procedures.ts";
import { outcomeOf, type DatabaseServer, type Statement } from "./database-server.ts";
import { networkError, type Link } from "./network.ts";

/**
 * A Database over a link: the edge that production code has over mysql2. When a call is given up, its session is killed on
 * the server, as `db/pool.ts` does; where that order does not get through, the statement may still have its effect.
 */

const CONNECT_LIMIT_MS = 2_000;
const KILL_LIMIT_MS = 1_500;
/** Calls that need a new connection, when the way is cut: the others find an open one in the pool. */
const CONNECTING_SHARE = 0.5;

export function createDatabaseLink(input: {
  readonly link: Link;
  readonly server: DatabaseServer;
  /** An answer came back to the process. */
  readonly onAnswer: (statement: Statement) => void;
}): Database {
  const { link, server } = input;
  const { clock, name: process } = link.process;

  function after(durationMs: number): { readonly over: Promise<undefined>; readonly cancel: () => void } {
    const { promise: over, resolve } = Promise.withResolvers<undefined>();
    return { over, cancel: clock.schedule(durationMs, () => resolve(undefined)) };
  }

  async function connect(signal: AbortSignal): Promise<void> {
    if (!link.isRefusing && link.faults.cut === "open") return;
    if (!link.isRefusing && link.random() >= CONNECTING_SHARE) return;
    const wait = after(link.isRefusing ? link.latencyMs() : CONNECT_LIMIT_MS);
    try {
      await abortable(wait.over, signal);
    } catch {
      throw abortError(signal);
    } finally {
      wait.cancel();
    }
    throw databaseError(networkError(link.isRefusing ? "ECONNREFUSED" : "ETIMEDOUT"));
  }

  async function run(
    sql: string,
    values: readonly SqlValue[],
    signal: AbortSignal,
    onSend?: () => void,
  ): Promise<ResultSets> {
    if (signal.aborted) throw abortError(signal);
    await connect(signal);
    onSend?.();
    const session = server.session();
    const running = link.roundTrip(() => server.execute(session, { process, sql, values }));
    try {
      const results = await abortable(running, signal);
      input.onAnswer({ process, sql, values, outcome: outcomeOf(results) });
      return results;
    } catch (error) {
      if (!signal.aborted) throw databaseError(error);
      const gone = running.then(
        () => undefined,
        () => undefined,
      );
      const limit = after(KILL_LIMIT_MS);
      const killed = link.roundTrip(() => server.kill(session)).catch(() => undefined);
      await Promise.race([killed, limit.over]);
      await Promise.race([gone, limit.over]);
      limit.cancel();
      throw abortError(signal);
    }
  }

  const query: Query = async (sql, values, signal) => (await run(sql, values, signal))[0] ?? [];
  return {
    query,
    call: run,
    readConsistently: (work) => work(query),
    close: () => Promise.resolve(),
  };
}
