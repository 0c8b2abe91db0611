import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { Product } from "./product.ts";
import { happensWithin } from "./until.ts";

const REST_LIMIT_MS = 120_000;
const POLL_MS = 250;
/** A city that was moved may be moved again after 10 s: after a longer time without a move nothing more comes. */
const UNMOVED_MS = 13_000;

/**
 * What is read once it has come to rest, being the same for long enough: some time after the start, and after any trouble,
 * the cities are balanced over the workers.
 */
export async function atRest<Reading>(
  read: () => Promise<Reading>,
  {
    limitMs = REST_LIMIT_MS,
    pollMs = POLL_MS,
    signal,
  }: { readonly limitMs?: number; readonly pollMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Reading> {
  let before = await read();
  let sameSinceMs = performance.now();
  await happensWithin(limitMs, "rest", async () => {
    signal?.throwIfAborted();
    await sleep(pollMs);
    const now = await read();
    if (!isDeepStrictEqual(now, before)) sameSinceMs = performance.now();
    before = now;
    return performance.now() - sameSinceMs > UNMOVED_MS;
  });
  return before;
}

/** The assignments, as `Product.assignments` has them, once they have come to rest. */
export async function assignmentsAtRest(product: Product, signal?: AbortSignal): Promise<readonly string[]> {
  return atRest(() => product.assignments(), signal === undefined ? {} : { signal });
}
