import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { PODS, type KubeObject } from "../../../runtime/kube/resources.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { createTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { readSeries } from "../../support/prometheus.ts";
import { happensWithin } from "../../support/until.ts";

/** What tells the operator that a worker is of no use, beside its heartbeat: its ticks, and its Pod. */

const CITIES = ["berlin", "lisbon", "london", "madrid", "paris", "rome"];
const PERIOD_MS = 1_000;
/** Three periods without a tick, what the progress reader may be late by, and the move. */
const STALL_LIMIT_MS = 3 * PERIOD_MS + 2_000 + PERIOD_MS + 1_500;
/** From the design: a worker killed in a Pod. */
const POD_LIMIT_MS = PERIOD_MS + 1_500;
/** A killed container shows on a Pod watch after 0.5 to 1.0 s. */
const KUBELET_DELAY_MS = 700;
const never = new AbortController().signal;
let product: Product;
let toMysql: TcpProxy;

beforeAll(async () => {
  product = await startProduct({ cities: CITIES, workers: 2 });
  toMysql = await createTcpProxy(product.mysql.port);
}, START_LIMIT_MS);

afterAll(async () => {
  await toMysql?.close();
  await product?.stop();
}, 60_000);

afterEach(async () => {
  await product.expectAuditClean();
});

async function awaitCitiesOf(pod: string): Promise<readonly string[]> {
  await happensWithin(30_000, `a city for ${pod}`, async () => (await product.holdings()).has(pod));
  return (await product.holdings()).get(pod) ?? [];
}

/** Longest time between two commits of any of the cities since then. */
async function worstGapMs(cities: readonly string[], sinceMs: number): Promise<number> {
  let worst = 0;
  for (const city of cities) {
    const rows = await product.query(
      "SELECT UNIX_TIMESTAMP(committed_at) * 1000 AS at_ms FROM tick WHERE city = ? AND UNIX_TIMESTAMP(committed_at) * 1000 > ? ORDER BY tick",
      [city, sinceMs - 2 * PERIOD_MS],
    );
    const times = rows.map((row) => Number(row["at_ms"]));
    for (const [index, time] of times.entries()) worst = Math.max(worst, time - (times[index - 1] ?? time));
  }
  return worst;
}

describe("a worker", () => {
  test(`that loses MySQL alone loses its cities within ${STALL_LIMIT_MS} ms, and nobody else does`, async () => {
    const url = new URL(product.stack.urls.worker);
    url.port = String(toMysql.port);
    product.stack.startWorker("cut-off", { DATABASE_URL: url.href });
    const theirs = await awaitCitiesOf("cut-off");
    await product.awaitTicks(CITIES, await product.databaseTimeMs(), 10_000);
    const others = (await product.assignments()).filter(
      (line) => !theirs.some((city) => line.startsWith(city)),
    );
    const cutMs = await product.databaseTimeMs();
    toMysql.cut();
    await product.awaitTicks(theirs, cutMs + PERIOD_MS, STALL_LIMIT_MS);
    expect((await product.holdings()).has("cut-off")).toBe(false);
    expect(await product.assignments()).toEqual(expect.arrayContaining(others));
    await sleep(2 * PERIOD_MS);
    // A worker that says that it does not reach the database is given nothing.
    expect((await product.holdings()).has("cut-off")).toBe(false);
    // The leader tells that they stalled, and that this is why they moved.
    const operators = await Promise.all(["operator-1", "operator-2"].map((name) => product.log(name)));
    const takeovers = "dispatch_operator_takeover_gap_beyond_period_seconds_count";
    for (const series of ["dispatch_operator_stalls_total", `${takeovers}{because="stalled"}`]) {
      await happensWithin(
        5_000,
        `${series} for ${theirs.length} cities`,
        async () => (await readSeries(operators, series)) >= theirs.length,
      );
    }
    toMysql.heal();
    product.stack.processes.get("cut-off")!.signal("SIGTERM");
    await product.stack.processes.get("cut-off")!.exited;
  }, 120_000);

  test(`whose container exits loses its cities within ${POD_LIMIT_MS} ms, before its heartbeat is missed`, async () => {
    const pod = await product.kube.create<KubeObject & { readonly spec: unknown }>(
      PODS,
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "in-a-pod",
          namespace: "default",
          labels: { "dispatch.city/component": "worker" },
        },
        spec: { containers: [{ name: "worker", image: "worker" }] },
      },
      never,
    );
    const child = product.stack.startWorker("in-a-pod", {
      POD_UID: pod.metadata.uid ?? "",
      // So slow a heartbeat that it cannot be what told the operator.
      HEARTBEAT_INTERVAL: "20s",
    });
    const theirs = await awaitCitiesOf("in-a-pod");
    await product.awaitTicks(theirs, await product.databaseTimeMs(), 10_000);
    const killedMs = await product.databaseTimeMs();
    child.signal("SIGKILL");
    await sleep(KUBELET_DELAY_MS);
    const finishedAt = new Date().toISOString().replace(/\.[0-9]+Z$/, "Z");
    const status = {
      containerStatuses: [
        {
          name: "worker",
          image: "worker",
          imageID: "",
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: 137, finishedAt } },
        },
      ],
    };
    await product.kube.patch(PODS, { name: "in-a-pod", namespace: "default" }, { status }, never, {
      subresource: "status",
    });
    await product.awaitTicks(theirs, killedMs + KUBELET_DELAY_MS, 10_000);
    expect(await worstGapMs(theirs, killedMs)).toBeLessThanOrEqual(POD_LIMIT_MS);
    await product.kube.remove(PODS, { name: "in-a-pod", namespace: "default" }, never);
  }, 120_000);
});
