import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/** A city whose dispatch blocks, crashes or devours its worker: it ends up alone, and the others go on. */

const PERIOD_MS = 2_000;
const POISONS = ["hang", "crash", "devour"] as const;
const OTHERS = Array.from({ length: 17 }, (_, index) => `city-${index}`);
const FIRST_INCIDENT_MS = 2 * PERIOD_MS;
const OBSERVED_MS = 16_000;
const RECOVERY_LIMIT_MS = 60_000;
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: [], workers: 0 });
  const preload = new URL("../../support/poisoned-dispatch.ts", import.meta.url);
  for (const pod of ["worker-1", "worker-2"]) {
    product.stack.startWorker(pod, {
      NODE_OPTIONS: `--import=${preload.href}`,
      DISPATCH_HEAP_MEGABYTES: "64",
    });
  }
  const cities = [...OTHERS, ...POISONS];
  await Promise.all(cities.map((city) => product.apply(city, { period: `${PERIOD_MS / 1_000}s` })));
  await product.awaitTicks(cities, 0, START_LIMIT_MS);
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

afterEach(async () => {
  await product.expectAuditClean();
});

async function missedByOthers(sinceMs: number): Promise<readonly number[]> {
  return Promise.all(OTHERS.map((city) => product.missedSlots(city, sinceMs)));
}

const none = OTHERS.map(() => 0);

describe("a city whose dispatch makes its thread", () => {
  test.each(POISONS)(
    "%s: costs the others a slot at most, once, and ticks again when cured",
    async (poison) => {
      const workers = [...product.stack.processes.entries()].filter(([name]) => name.startsWith("worker"));
      const poisonedMs = await product.databaseTimeMs();
      await product.query(
        "INSERT IGNORE INTO stores (city, id, name, latitude, longitude) VALUES (?, 's1', 'Store', 40.4, -3.7)",
        [poison],
      );
      await product.query(
        `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
       VALUES (?, ?, 's1', 40.41, -3.71, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
        [poison, poison],
      );
      await sleep(FIRST_INCIDENT_MS);
      const afterIncidentMs = await product.databaseTimeMs();
      expect(Math.max(...(await missedByOthers(poisonedMs - PERIOD_MS)))).toBeLessThanOrEqual(1);
      await sleep(OBSERVED_MS);
      expect(await missedByOthers(afterIncidentMs)).toEqual(none);
      const [poisoned] = await product.query(
        "SELECT COUNT(*) AS ticks FROM tick WHERE city = ? AND UNIX_TIMESTAMP(committed_at) * 1000 > ?",
        [poison, afterIncidentMs],
      );
      expect(Number(poisoned?.["ticks"])).toBe(0);
      // No process died of it.
      for (const [, child] of workers) expect(child.hasExited()).toBe(false);

      const curedMs = await product.databaseTimeMs();
      await product.query("UPDATE orders SET status = 'cancelled' WHERE city = ?", [poison]);
      await product.awaitTicks([poison], curedMs, RECOVERY_LIMIT_MS);
      await happensWithin(RECOVERY_LIMIT_MS, "its return among the others", async () => {
        const logs = await Promise.all(workers.map(([name]) => product.log(name)));
        return logs.some((log) => log.includes(`"city":"${poison}","msg":"city back among the others"`));
      });
      expect(await missedByOthers(afterIncidentMs)).toEqual(none);
    },
    180_000,
  );
});
