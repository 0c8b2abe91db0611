import { happensWithin } from "../../support/until.ts";
import { holdings, type Held } from "./holdings.ts";
import type { Installation } from "./installation.ts";

/** Loses a worker without warning, and measures how long each of its cities went without a commit of somebody else. */

export type Loss = {
  readonly pod: string;
  /** As the Pod's status gives it. */
  readonly containerId: string;
};

const TAKEOVER_LIMIT_MS = 60_000;

/** Milliseconds from the loss to the first commit of another worker, of each city that the lost one held. */
export async function loseWorker(
  product: Installation,
  lose: (loss: Loss) => Promise<void>,
): Promise<readonly number[]> {
  const [pod, held] = await busiest(product);
  const container = "--output=jsonpath={.status.containerStatuses[0].containerID}";
  const containerId = await product.kubectl(["get", "pod", pod, container]);
  const lostMs = await product.databaseTimeMs();
  await lose({ pod, containerId });
  const gaps: number[] = [];
  for (const { city, worker } of held) {
    let gapMs: number | undefined;
    await happensWithin(TAKEOVER_LIMIT_MS, `a commit of ${city} by another worker`, async () => {
      gapMs = await product.firstCommitAfter(city, lostMs, worker);
      return gapMs !== undefined;
    });
    gaps.push(gapMs ?? Number.POSITIVE_INFINITY);
  }
  return gaps;
}

/** The Pod whose worker holds the most cities, and these. */
async function busiest(product: Installation): Promise<readonly [string, readonly Held[]]> {
  const [first] = [...(await holdings(product))].toSorted(
    ([, left], [, right]) => right.length - left.length,
  );
  if (first === undefined || first[1].length === 0) throw new Error("nobody holds a city");
  return first;
}
