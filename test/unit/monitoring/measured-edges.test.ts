import { expect, test } from "@jest/globals";
import { createDatabaseMetrics, measureDatabase } from "../../../db/metrics.ts";
import type { Database } from "../../../db/pool.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import { KubeError } from "../../../runtime/kube/kube-error.ts";
import { createApiMetrics, measureKubeClient } from "../../../runtime/kube/metrics.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createMetricValues } from "../../support/metric-values.ts";

/** Rate, errors and duration at the edges: what is asked passes through unchanged, and leaves its trace. */

const never = new AbortController().signal;

test("a statement is timed under its procedure's name, and its failure counted by its code", async () => {
  const clock = createFakeClock();
  const { metrics, value } = createMetricValues();
  const failure = new OperationalError({ code: "database-timeout", remedy: "retry", message: "no answer" });
  const database = measureDatabase(
    {
      async call(sql) {
        await clock.advance(40);
        if (sql.startsWith("CALL seal_city")) throw failure;
        return [[{ sql }]];
      },
      async query() {
        throw new Error("the caller went away");
      },
    } as Partial<Database> as Database,
    createDatabaseMetrics(metrics, "worker"),
    clock,
  );
  expect(await database.call("CALL commit_tick(?)", [], never)).toEqual([[{ sql: "CALL commit_tick(?)" }]]);
  await expect(database.call("CALL seal_city(?)", [], never)).rejects.toBe(failure);
  await expect(database.query("SELECT 1", [], never)).rejects.toThrow("the caller went away");
  const duration = "dispatch_worker_database_duration_seconds";
  expect(await value(`${duration}_sum{statement="commit_tick"}`)).toBe(0.04);
  expect(await value(`${duration}_count{statement="seal_city"}`)).toBe(1);
  expect(await value(`${duration}_count{statement="query"}`)).toBe(1);
  const failures = "dispatch_worker_database_failures_total";
  expect(await value(`${failures}{because="database-timeout"}`)).toBe(1);
  expect(await value(`${failures}{because="cancelled"}`)).toBe(1);
});

test("a request is timed under its verb, and its failure counted by who is to blame", async () => {
  const clock = createFakeClock();
  const { metrics, value } = createMetricValues();
  const failWith = (code: string, remedy: "refresh" | "retry" | "give-up") => async () => {
    await clock.advance(5);
    throw new KubeError({ code, remedy, message: code });
  };
  const client = measureKubeClient(
    {
      get: async () => undefined,
      list: failWith("kube-unavailable", "retry"),
      create: failWith("kube-forbidden", "give-up"),
      replace: failWith("kube-conflict", "refresh"),
    } as unknown as KubeClient,
    createApiMetrics(metrics, "operator"),
    clock,
  );
  expect(await client.get(LEASES, { name: "city-madrid" }, never)).toBeUndefined();
  await expect(client.list(LEASES, {}, never)).rejects.toThrow("kube-unavailable");
  await expect(client.create(LEASES, { metadata: { name: "a" } }, never)).rejects.toThrow("kube-forbidden");
  await expect(client.replace(LEASES, { metadata: { name: "a" } }, never)).rejects.toThrow("kube-conflict");
  expect(await value('dispatch_operator_api_duration_seconds_count{verb="get"}')).toBe(1);
  expect(await value('dispatch_operator_api_duration_seconds_sum{verb="replace"}')).toBe(0.005);
  for (const because of ["conflict", "unavailable", "refused"]) {
    expect(await value(`dispatch_operator_api_failures_total{because="${because}"}`)).toBe(1);
  }
});
