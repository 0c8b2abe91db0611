import { setTimeout as sleep } from "node:timers/promises";
import type { Product } from "./product.ts";
import { happensWithin } from "./until.ts";

const REST_LIMIT_MS = 60_000;
/** Longer than the pause after which the operator balances cities anew. */
const UNMOVED_MS = 12_000;

/**
 * The assignments, as `Product.assignments` has them, once they have come to rest: some time after the start the cities
 * are balanced over the workers.
 */
export async function assignmentsAtRest(product: Product): Promise<readonly string[]> {
  let before = await product.assignments();
  let sameSinceMs = performance.now();
  await happensWithin(REST_LIMIT_MS, "rest", async () => {
    const now = await product.assignments();
    if (now.join() !== before.join()) sameSinceMs = performance.now();
    before = now;
    await sleep(250);
    return performance.now() - sameSinceMs > UNMOVED_MS;
  });
  return before;
}
