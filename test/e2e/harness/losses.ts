import { happensWithin } from "../../support/until.ts";
import { holdings, type Held } from "./holdings.ts";
import type { Installation } from "./installation.ts";

/** Loses a worker without warning, and measures how long each of its cities went without a commit of somebody else. */

export type Loss = {
  readonly pod: string;
  /** As the Pod's status gives it. */
  readonly containerId: string;
};

export type Takeover = {
  readonly city: string;
  /** Milliseconds from the loss to the first commit of another worker. */
  readonly gapMs: number;
  /** Who ticked since the loss, and what the operator and the Pod's status said meanwhile: for whoever looks for the cause. */
  readonly story: string;
};

const TAKEOVER_LIMIT_MS = 60_000;

/** The takeover of each city that the lost worker held. */
export async function loseWorker(
  product: Installation,
  lose: (loss: Loss) => Promise<void>,
): Promise<readonly Takeover[]> {
  const [pod, held] = await busiest(product);
  const container = "--output=jsonpath={.status.containerStatuses[0].containerID}";
  const containerId = await product.kubectl(["get", "pod", pod, container]);
  const lostMs = await product.databaseTimeMs();
  await lose({ pod, containerId });
  const takeovers: Takeover[] = [];
  for (const { city, worker } of held) {
    let gapMs: number | undefined;
    await happensWithin(TAKEOVER_LIMIT_MS, `a commit of ${city} by another worker`, async () => {
      gapMs = await product.firstCommitAfter(city, lostMs, worker);
      return gapMs !== undefined;
    });
    const lost = `${worker} lost at ${new Date(lostMs).toISOString().slice(11, 23)}`;
    const story = `${lost}: ${await product.course(city, lostMs)}`;
    takeovers.push({ city, gapMs: gapMs ?? Number.POSITIVE_INFINITY, story });
  }
  return takeovers;
}

/** One line for each takeover that took longer than `limitMs`; what the operators said goes to standard error then. */
export async function lateTakeovers(
  product: Installation,
  takeovers: readonly Takeover[],
  limitMs: number,
): Promise<readonly string[]> {
  const late = takeovers.filter(({ gapMs }) => gapMs > limitMs);
  if (late.length > 0) process.stderr.write(await whatWasSeen(product));
  return late.map(({ city, gapMs, story }) => `${city} after ${gapMs} ms instead of ${limitMs}: ${story}`);
}

async function whatWasSeen(product: Installation): Promise<string> {
  const operators = ["--selector=app.kubernetes.io/component=operator"];
  const parts = await Promise.all([
    product.kubectl(["logs", ...operators, "--prefix", "--since=120s", "--tail=200"]),
    product.kubectl([
      "get",
      "pods",
      '--output=jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses}{"\\n"}{end}',
    ]),
    product.kubectl(["get", "events", "--sort-by=.metadata.creationTimestamp"]),
  ]);
  return parts.join("\n");
}

/** The Pod whose worker holds the most cities, and these. */
async function busiest(product: Installation): Promise<readonly [string, readonly Held[]]> {
  const [first] = [...(await holdings(product))].toSorted(
    ([, left], [, right]) => right.length - left.length,
  );
  if (first === undefined || first[1].length === 0) throw new Error("nobody holds a city");
  return first;
}
