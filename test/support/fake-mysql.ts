import type { Database, Query } from "../../db/pool.ts";
import { callProcedure, runQuery } from "./fake-procedures.ts";
import { FakeTables } from "./fake-tables.ts";

/** A MySQL in memory that answers at once: the protocol's procedures for tests of what stands on a Database. */
export type FakeMysql = { readonly tables: FakeTables; readonly database: Database };

export function createFakeMysql(input: { readonly wallMs: () => number }): FakeMysql {
  const tables = new FakeTables();
  const query: Query = async (sql, values, signal) => {
    signal.throwIfAborted();
    return Promise.resolve(runQuery(tables, sql, values, input.wallMs()));
  };
  return {
    tables,
    database: {
      query,
      async call(sql, values, signal, onSend) {
        signal.throwIfAborted();
        onSend?.();
        return Promise.resolve(callProcedure(tables, sql, values, input.wallMs()));
      },
      readConsistently: (work) => work(query),
      close: () => Promise.resolve(),
    },
  };
}
