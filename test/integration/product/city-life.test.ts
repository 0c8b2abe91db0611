import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import type { City } from "../../../crds/city.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startMysqlProxy } from "../../support/mysql-proxy.ts";
import { happensWithin } from "../../support/until.ts";
import { startProduct, type Product } from "../../support/product.ts";

/** What people do with a City takes effect within a second: through kubectl, on the real API server and the real MySQL. */

const EFFECT_LIMIT_MS = 1_000;
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: ["madrid", "paris"] });
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function kubectl(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await product.stack.api.kubectl(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

async function merge(city: string, spec: unknown): Promise<void> {
  await kubectl("patch", "city", city, "--type=merge", "-p", JSON.stringify({ spec }));
}

const conditionOf = (city: City | undefined, type: string) =>
  city?.status?.conditions?.find((condition) => condition.type === type);

describe("a City", () => {
  test("that is created is assigned and committed for, and becomes Ready", async () => {
    await product.apply("lisbon", { period: "200ms" });
    await happensWithin(EFFECT_LIMIT_MS, "the first tick", async () => {
      const rows = await product.query("SELECT tick FROM city_fence WHERE city = 'lisbon' AND tick > 0");
      return rows.length === 1;
    });
    await kubectl("wait", "--for=condition=Ready", "--timeout=10s", "city/lisbon");
  });

  test("may be called operator, as that which elects the operators is called otherwise", async () => {
    await product.apply("operator", { period: "200ms" });
    await kubectl("wait", "--for=condition=Ready", "--timeout=10s", "city/operator");
    await kubectl("delete", "city", "operator", "--timeout=10s");
  });

  test("whose period is edited ticks in the new period, under a new token, without a missed slot", async () => {
    const sinceMs = await product.databaseTimeMs();
    const before = (await product.city("madrid"))?.status?.assignment;
    await merge("madrid", { period: "500ms" });
    await happensWithin(EFFECT_LIMIT_MS + 500, "a tick in the new period", async () => {
      const rows = await product.query("SELECT 1 FROM tick WHERE city = 'madrid' AND period_ms = 500");
      return rows.length > 0;
    });
    await happensWithin(EFFECT_LIMIT_MS, "the new token in the status", async () => {
      const after = (await product.city("madrid"))?.status?.assignment;
      return after?.worker === before?.worker && BigInt(after?.token ?? 0) > BigInt(before?.token ?? 0);
    });
    await sleep(2_000);
    expect(await product.missedSlots("madrid", sinceMs)).toBe(0);
  });

  test("that is suspended says so within a second, and then nothing more is committed for it", async () => {
    await merge("paris", { suspend: true });
    await happensWithin(
      EFFECT_LIMIT_MS,
      "the condition Suspended",
      async () => conditionOf(await product.city("paris"), "Suspended")?.status === "True",
    );
    const [fence] = await product.query("SELECT tick, holder FROM city_fence WHERE city = 'paris'");
    expect(fence?.["holder"]).toBeNull();
    await sleep(2_500);
    const [later] = await product.query("SELECT tick FROM city_fence WHERE city = 'paris'");
    expect(later?.["tick"]).toBe(fence?.["tick"]);
    expect(conditionOf(await product.city("paris"), "Ready")).toMatchObject({
      status: "False",
      reason: "Suspended",
    });
  });

  test("that is resumed ticks again within a second", async () => {
    const sinceMs = await product.databaseTimeMs();
    await merge("paris", { suspend: false });
    await product.awaitTicks(["paris"], sinceMs, EFFECT_LIMIT_MS);
    await kubectl("wait", "--for=condition=Ready", "--timeout=10s", "city/paris");
  });

  test("that is deleted is gone within a second, sealed, with its Lease", async () => {
    const startedMs = performance.now();
    await kubectl("delete", "city", "lisbon", "--timeout=10s");
    expect(performance.now() - startedMs).toBeLessThan(EFFECT_LIMIT_MS + 1_000);
    const [fence] = await product.query("SELECT tick, holder FROM city_fence WHERE city = 'lisbon'");
    expect(fence?.["holder"]).toBeNull();
    expect(await kubectl("get", "leases", "-l", "dispatch.city/city=lisbon", "-o", "name")).toBe("");
    await sleep(1_000);
    const [later] = await product.query("SELECT tick FROM city_fence WHERE city = 'lisbon'");
    expect(later?.["tick"]).toBe(fence?.["tick"]);
  });

  test("that is created again under the same name goes on where its ticks ended", async () => {
    const [before] = await product.query("SELECT tick FROM city_fence WHERE city = 'lisbon'");
    const sinceMs = await product.databaseTimeMs();
    await product.apply("lisbon", { period: "200ms" });
    await product.awaitTicks(["lisbon"], sinceMs, EFFECT_LIMIT_MS);
    const [after] = await product.query(
      "SELECT MIN(tick) AS first FROM tick WHERE city = 'lisbon' AND tick > ?",
      [Number(before?.["tick"])],
    );
    expect(Number(after?.["first"])).toBe(Number(before?.["tick"]) + 1);
  });

  test("that nobody can hold says which pool needs a worker", async () => {
    await product.apply("oslo", { period: "1s", workerPool: "big" });
    await happensWithin(
      EFFECT_LIMIT_MS,
      "the reason",
      async () => conditionOf(await product.city("oslo"), "Ready")?.reason === "NoWorkers",
    );
    product.stack.startWorker("worker-big", { WORKER_POOL: "big" });
    await kubectl("wait", "--for=condition=Ready", "--timeout=20s", "city/oslo");
  });

  test("tells its story in events", async () => {
    const events = await kubectl(
      "get",
      "events.events.k8s.io",
      "-o",
      "jsonpath={range .items[*]}{.regarding.name} {.reason}{'\\n'}{end}",
    );
    expect(events).toContain("madrid Assigned");
    expect(events).toContain("paris Sealed");
  });
});

describe("a worker that is frozen with a commit on its way commits nothing", () => {
  /** A city with a worker of its own, frozen in the middle of a tick; `deliver` lets the commit through at last. */
  async function freezeWithCommit(city: string) {
    const proxy = await startMysqlProxy(product.mysql.port);
    const url = new URL(product.stack.urls.worker);
    url.port = String(proxy.port);
    const child = product.stack.startWorker(`worker-${city}`, { WORKER_POOL: city, DATABASE_URL: url.href });
    await product.apply(city, { period: "1s", workerPool: city });
    await product.awaitTicks([city], 0, 20_000);
    const held = Promise.withResolvers<void>();
    proxy.onRequest((bytes) => {
      // What follows the read of a tick is its commit.
      if (bytes.includes("CALL read_snapshot")) proxy.requests("hold");
      if (bytes.includes("CALL commit_tick")) held.resolve();
    });
    await held.promise;
    child.signal("SIGSTOP");
    return {
      deliver: () => proxy.release(),
      thaw: () => child.signal("SIGCONT"),
      async end() {
        child.signal("SIGKILL");
        await child.exited;
        await proxy.close();
      },
    };
  }

  test.each([
    ["vienna", "Suspended is true", ["wait", "--for=condition=Suspended", "--timeout=20s", "city/vienna"]],
    ["zagreb", "the deletion has returned", ["delete", "city", "zagreb", "--timeout=20s"]],
  ] as const)(
    "for %s once %s",
    async (city, _, command) => {
      const frozen = await freezeWithCommit(city);
      if (city === "vienna") await merge(city, { suspend: true });
      await kubectl(...command);
      const ticks = () =>
        product.query(
          "SELECT MAX(t.tick) AS last, MAX(f.tick) AS fence FROM tick t JOIN city_fence f USING (city) WHERE city = ?",
          [city],
        );
      const before = await ticks();
      expect(Number(before[0]?.["last"])).toBeGreaterThan(0);
      await frozen.deliver();
      expect(await ticks()).toEqual(before);
      frozen.thaw();
      await sleep(2_500);
      expect(await ticks()).toEqual(before);
      await frozen.end();
    },
    60_000,
  );
});

test("the auditor is content", async () => {
  await product.expectAuditClean();
});
