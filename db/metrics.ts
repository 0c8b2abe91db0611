import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import { measuring } from "../runtime/measure.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { DATABASE_ERROR_CODES, type DatabaseErrorCode } from "./database-error.ts";
import type { Database } from "./pool.ts";

/** Rate, errors and duration of what a process asks of MySQL. */

/** The procedures that the product calls while it runs; everything else is a query. */
const STATEMENTS = [
  "claim_city",
  "commit_tick",
  "read_snapshot",
  "keep_explanation",
  "seal_city",
  "raise_epoch",
  "prune_ticks",
  "prune_explanations",
  "query",
] as const;
type Statement = (typeof STATEMENTS)[number];

/** Besides MySQL's own: the caller gave up, such as a tick that nobody needs any more. */
const FAILURES = [...DATABASE_ERROR_CODES, "cancelled"] as const;

export type DatabaseMetrics = ReturnType<typeof createDatabaseMetrics>;

export function createDatabaseMetrics(metrics: Metrics, process: "operator" | "worker") {
  return {
    duration: metrics.histogramBy<Statement>(
      {
        name: `dispatch_${process}_database_duration_seconds`,
        unit: "seconds",
        help: "From wanting a connection to MySQL's answer, by procedure, whatever the answer was.",
      },
      { label: "statement", values: STATEMENTS },
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
    failures: metrics.countBy(
      {
        name: `dispatch_${process}_database_failures_total`,
        unit: "statements",
        help: "Statements that MySQL did not answer or refused, by cause.",
      },
      "because",
      FAILURES,
    ),
  };
}

/** The same database, with everything asked of it counted and timed. */
export function measureDatabase(database: Database, metrics: DatabaseMetrics, clock: Clock): Database {
  const measured = measuring(clock, metrics, failureOf);
  return {
    query: (sql, values, signal) => measured("query", () => database.query(sql, values, signal)),
    call: (sql, values, signal, onSend) =>
      measured(statementOf(sql), () => database.call(sql, values, signal, onSend)),
    readConsistently: (work, signal) => measured("query", () => database.readConsistently(work, signal)),
    close: () => database.close(),
  };
}

function statementOf(sql: string): Statement {
  const [, name] = /^CALL (\w+)/.exec(sql) ?? [];
  return STATEMENTS.find((statement) => statement === name) ?? "query";
}

function failureOf(error: unknown): DatabaseErrorCode | "cancelled" {
  const code = isOperational(error) ? error.code : undefined;
  return DATABASE_ERROR_CODES.find((candidate) => candidate === code) ?? "cancelled";
}
