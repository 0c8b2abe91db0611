import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/**
 * What no limit of a thread contains: one allocation that is larger than the heap, for which V8 ends the process. A city
 * that has done harm once has a process of its own by then.
 */

const OTHER = "madrid";
const POISON = "poison";
let product: Product;

beforeAll(async () => {
  product = await startProduct({ cities: [], workers: 0 });
  const preload = new URL("../../support/poisoned-dispatch.ts", import.meta.url);
  product.stack.startWorker("worker-1", {
    NODE_OPTIONS: `--import=${preload.href}`,
    DISPATCH_HEAP_MEGABYTES: "64",
  });
  await product.apply(OTHER, { period: "1s" });
  // Long enough to reach the limit of the heap before the deadline, also on a busy machine.
  await product.apply(POISON, { period: "5s" });
  await product.awaitTicks([OTHER, POISON], 0, START_LIMIT_MS);
  await product.query(
    "INSERT INTO stores (city, id, name, latitude, longitude) VALUES (?, 's1', 'Store', 40.4, -3.7)",
    [POISON],
  );
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

async function poisonWith(order: string): Promise<void> {
  await product.query("DELETE FROM orders WHERE city = ?", [POISON]);
  await product.query(
    `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
     VALUES (?, ?, 's1', 40.41, -3.71, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [POISON, order],
  );
}

test("an isolated city that takes its process down takes no other city with it, and ticks again when cured", async () => {
  const logged = (text: string) => async (): Promise<boolean> =>
    (await product.log("worker-1")).includes(text);
  await poisonWith("crash");
  await happensWithin(20_000, "the isolation", logged(`"city":"${POISON}","because":"harm"`));
  await poisonWith("devour-at-once");
  await happensWithin(60_000, "the end of its process", logged("the dispatch process ended with SIG"));
  const endedMs = await product.databaseTimeMs();
  await product.awaitTicks([OTHER], endedMs, 10_000);
  expect(product.stack.processes.get("worker-1")!.hasExited()).toBe(false);
  await product.query("DELETE FROM orders WHERE city = ?", [POISON]);
  await product.awaitTicks([POISON], endedMs, 60_000);
  await product.expectAuditClean();
}, 180_000);
