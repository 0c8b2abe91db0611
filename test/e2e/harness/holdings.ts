import { setTimeout as sleep } from "node:timers/promises";
import { HYSTERESIS } from "../../../operator/cities/loads.ts";
import type { Installation } from "./installation.ts";
import { workerPods } from "./workers.ts";

/** Who holds which city, as the City Leases say it. */

export type Held = { readonly city: string; readonly worker: string };

const REST_LIMIT_MS = 90_000;
const POLL_MS = 1_000;

/** What each worker Pod holds, also where that is nothing. */
export async function holdings(product: Installation): Promise<ReadonlyMap<string, readonly Held[]>> {
  const output = await product.kubectl([
    "get",
    "leases",
    "--selector=dispatch.city/component=city",
    '--output=jsonpath={range .items[*]}{.metadata.name} {.spec.holderIdentity}{"\\n"}{end}',
  ]);
  const all = output
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([lease = "", worker = ""]) => ({ city: lease.replace(/^city-/, ""), worker }));
  const pods = await workerPods(product);
  return new Map(pods.map((pod) => [pod, all.filter(({ worker }) => worker.startsWith(`${pod}-`))]));
}

/**
 * Waits until there is nothing left to move: all cities, of equal weight, are held by Pods that are there, and none of these
 * holds so many more than another that a city would be moved for balance. What is counted from then on comes from what is done
 * then, and what was counted until then is all that came of it.
 */
export async function fleetAtRest(product: Installation, cities: number): Promise<void> {
  const deadlineMs = performance.now() + REST_LIMIT_MS;
  for (;;) {
    const counts = [...(await holdings(product)).values()].map(({ length }) => length);
    const difference = Math.max(...counts) - Math.min(...counts);
    const tolerated = Math.max(1, (HYSTERESIS * cities) / counts.length);
    const held = counts.reduce((sum, count) => sum + count, 0);
    if (held === cities && difference <= tolerated) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`the fleet of ${cities} cities does not come to rest: Pods hold ${counts.join(", ")}`);
    }
    await sleep(POLL_MS);
  }
}
