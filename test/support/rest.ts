import { setTimeout as sleep } from "node:timers/promises";
import type { Product } from "./product.ts";
import { happensWithin } from "./until.ts";

const REST_LIMIT_MS = 120_000;
const POLL_MS = 250;
/** A city that was moved may be moved again after 10 s: after a longer time without a move nothing more comes. */
const UNMOVED_MS = 12_000;

/**
 * The assignments, as `Product.assignments` has them, once they have come to rest: some time after the start, and after
 * any trouble, the cities are balanced over the workers.
 */
export async function assignmentsAtRest(product: Product, signal?: AbortSignal): Promise<readonly string[]> {
  let before = await product.assignments();
  let sameSinceMs = performance.now();
  await happensWithin(REST_LIMIT_MS, "rest", async () => {
    signal?.throwIfAborted();
    await sleep(POLL_MS);
    const now = await product.assignments();
    if (now.join() !== before.join()) sameSinceMs = performance.now();
    before = now;
    return performance.now() - sameSinceMs > UNMOVED_MS;
  });
  return before;
}
