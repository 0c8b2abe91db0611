import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS, kubeconfigThrough } from "../../support/kube.ts";
import { createFaultyLink } from "../../support/faulty-link.ts";
import { createTcpProxy } from "../../support/tcp-proxy.ts";
import { happensWithin } from "../../support/until.ts";
import { startProduct, type Product } from "../../support/product.ts";

/** A worker that dies, is asked to go, or is frozen, beside others that live. */

const CITIES = ["berlin", "lisbon", "london", "madrid", "paris", "rome"];
const PERIOD_MS = 1_000;
const HEARTBEAT_INTERVAL_MS = 1_000;
const TAKEOVER_LIMIT_MS = 3 * HEARTBEAT_INTERVAL_MS + PERIOD_MS + 1_000;
const FREEZE_MS = 30_000;
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: CITIES });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

afterEach(async () => {
  await product.expectAuditClean();
});

/** The pod that holds the most cities, and these. */
async function busiest(): Promise<{ readonly pod: string; readonly cities: readonly string[] }> {
  const [most] = [...(await product.holdings())].toSorted(
    ([, left], [, right]) => right.length - left.length,
  );
  return { pod: most![0], cities: most![1] };
}

async function awaitMembers(count: number): Promise<void> {
  await happensWithin(15_000, `${count} workers`, async () => {
    const names = await product.stack.api.kubectl([
      "get",
      "leases",
      "-l",
      "dispatch.city/component=worker",
      "-o",
      "name",
    ]);
    return names.stdout.trim().split("\n").length >= count;
  });
}

describe("a worker", () => {
  test(`that is killed loses its cities to others within ${TAKEOVER_LIMIT_MS} ms`, async () => {
    const { pod, cities } = await busiest();
    const killedMs = await product.databaseTimeMs();
    product.stack.processes.get(pod)!.signal("SIGKILL");
    await product.awaitTicks(cities, killedMs + 20, TAKEOVER_LIMIT_MS);
    const [worst] = await product.query(
      `SELECT MAX(first) - ? AS gap_ms FROM (
         SELECT MIN(UNIX_TIMESTAMP(committed_at) * 1000) AS first FROM tick
          WHERE UNIX_TIMESTAMP(committed_at) * 1000 > ? AND holder NOT LIKE ? GROUP BY city) AS firsts`,
      [killedMs, killedMs, `${pod}-%`],
    );
    expect(Number(worst?.["gap_ms"])).toBeLessThanOrEqual(TAKEOVER_LIMIT_MS);
    expect((await product.holdings()).has(pod)).toBe(false);
    product.stack.startWorker(pod);
    await awaitMembers(3);
  }, 60_000);

  test("that is asked to go hands its cities over without a missed slot, and ends by itself", async () => {
    const { pod, cities } = await busiest();
    const sinceMs = await product.databaseTimeMs();
    const child = product.stack.processes.get(pod)!;
    child.signal("SIGTERM");
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await sleep(3 * PERIOD_MS);
    for (const city of cities) expect([city, await product.missedSlots(city, sinceMs)]).toEqual([city, 0]);
    expect((await product.holdings()).has(pod)).toBe(false);
    product.stack.startWorker(pod);
    await awaitMembers(3);
  }, 60_000);

  test("one after the other restarted: no city misses a slot", async () => {
    const sinceMs = await product.databaseTimeMs();
    for (const pod of ["worker-1", "worker-2", "worker-3"]) {
      const child = product.stack.processes.get(pod)!;
      child.signal("SIGTERM");
      expect(await child.exited).toEqual({ code: 0, signal: null });
      const before = product.stack.startWorker(pod);
      await awaitMembers(3);
      await sleep(2 * HEARTBEAT_INTERVAL_MS);
      expect(before.hasExited()).toBe(false);
    }
    await sleep(2 * PERIOD_MS);
    for (const city of CITIES) expect([city, await product.missedSlots(city, sinceMs)]).toEqual([city, 0]);
  }, 120_000);

  test("that was cut off from the database is given cities again when it is back", async () => {
    const link = await createFaultyLink(product.mysql.port);
    try {
      const url = new URL(product.stack.urls.worker);
      url.port = String(link.port);
      const pod = "worker-returning";
      const held = async (): Promise<number> => (await product.holdings()).get(pod)?.length ?? 0;
      product.stack.startWorker(pod, { DATABASE_URL: url.href });
      await happensWithin(60_000, "its first city", async () => (await held()) > 0);
      link.fail({ kind: "cut" });
      await happensWithin(60_000, "the loss of its cities", async () => (await held()) === 0);
      link.heal();
      await happensWithin(60_000, "its next city", async () => (await held()) > 0);
      product.stack.processes.get(pod)!.signal("SIGTERM");
      await product.stack.processes.get(pod)!.exited;
    } finally {
      await link.close();
    }
  }, 200_000);

  test("that is frozen loses its cities, and its first commit after the thaw is refused", async () => {
    // Cut off from the API server as well, so that nothing but the fence can tell it.
    const { url, users } = product.stack.api;
    const proxy = await createTcpProxy(Number(new URL(url).port));
    try {
      const child = product.stack.startWorker("worker-4", {
        KUBECONFIG: await kubeconfigThrough({ ...users["worker"]!, url, port: proxy.port }),
      });
      await awaitMembers(4);
      const former = await busiest();
      product.stack.processes.get(former.pod)!.signal("SIGTERM");
      await product.stack.processes.get(former.pod)!.exited;
      const cities = (await product.holdings()).get("worker-4") ?? [];
      expect(cities.length).toBeGreaterThan(0);
      await product.awaitTicks(cities, await product.databaseTimeMs(), 3 * PERIOD_MS);

      proxy.freeze();
      child.signal("SIGSTOP");
      const frozenMs = await product.databaseTimeMs();
      const [before] = await product.query("SELECT MAX(token) AS token FROM city_fence");
      await product.awaitTicks(cities, frozenMs + PERIOD_MS, TAKEOVER_LIMIT_MS + PERIOD_MS);
      await sleep(FREEZE_MS);
      const logBefore = (await product.log("worker-4")).length;
      const thawedMs = await product.databaseTimeMs();
      child.signal("SIGCONT");
      await happensWithin(10_000, "a refusal", async () =>
        (await product.log("worker-4")).slice(logBefore).includes('"because":"fenced","msg":"tenure ended"'),
      );
      await sleep(2 * PERIOD_MS);
      const committed = await product.query(
        "SELECT city, tick FROM tick WHERE token <= ? AND holder LIKE 'worker-4-%' AND UNIX_TIMESTAMP(committed_at) * 1000 > ?",
        [String(before?.["token"]), thawedMs],
      );
      expect(committed).toEqual([]);
    } finally {
      proxy.heal();
      await proxy.close();
    }
  }, 120_000);
});
