import { PODS, type KubeObject } from "../../../runtime/kube/resources.ts";
import { happensWithin, until } from "../../support/until.ts";
import { holdings, type Held } from "./holdings.ts";
import type { Installation } from "./installation.ts";

/** Loses a worker without warning, and measures how long each of its cities went without a commit of somebody else. */

type Pod = KubeObject & {
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly state?: { readonly running?: object };
    }[];
  };
};

export type LostWorker = {
  readonly pod: string;
  /** As the Pod's status gives it. */
  readonly containerId: string;
};

export type Takeover = {
  readonly city: string;
  /** Milliseconds from the loss to the first commit of another worker. */
  readonly gapMs: number;
  /** Who ticked since the loss: for whoever looks for the cause of a late one. */
  readonly story: string;
};

export type Loss = {
  /** Of each city that the lost worker held. */
  readonly takeovers: readonly Takeover[];
  /**
   * Milliseconds from the loss until the API server said that the process has ended, which is the kubelet's part of the gap;
   * undefined: it did not before the takeovers were over.
   */
  readonly toldAfterMs: number | undefined;
};

const TAKEOVER_LIMIT_MS = 60_000;

/** `lose` ends the process that it is told of. */
export async function loseWorker(
  product: Installation,
  lose: (worker: LostWorker) => Promise<void>,
): Promise<Loss> {
  const [pod, held] = await busiest(product);
  const container = "--output=jsonpath={.status.containerStatuses[0].containerID}";
  const containerId = await product.kubectl(["get", "pod", pod, container]);
  const over = new AbortController();
  const lostMs = await product.databaseTimeMs();
  const told = toldAfterMs(product, { pod, containerId }, over.signal);
  const takeovers: Takeover[] = [];
  try {
    await lose({ pod, containerId });
    for (const { city, worker } of held) takeovers.push(await takeoverOf(product, { city, worker, lostMs }));
  } finally {
    over.abort();
  }
  return { takeovers, toldAfterMs: await told };
}

async function takeoverOf(
  product: Installation,
  { city, worker, lostMs }: Held & { readonly lostMs: number },
): Promise<Takeover> {
  let gapMs: number | undefined;
  await happensWithin(TAKEOVER_LIMIT_MS, `a commit of ${city} by another worker`, async () => {
    gapMs = await product.firstCommitAfter(city, lostMs, worker);
    return gapMs !== undefined;
  });
  const lost = `${worker} lost at ${new Date(lostMs).toISOString().slice(11, 23)}`;
  return {
    city,
    gapMs: gapMs ?? Number.POSITIVE_INFINITY,
    story: `${lost}: ${await product.course(city, lostMs)}`,
  };
}

async function toldAfterMs(
  product: Installation,
  { pod, containerId }: LostWorker,
  signal: AbortSignal,
): Promise<number | undefined> {
  const startedMs = performance.now();
  const isTold = async (): Promise<boolean> => {
    const found = await product.kube.get<Pod>(PODS, { namespace: product.namespace, name: pod }, signal);
    const [container] = found?.status?.containerStatuses ?? [];
    return container?.containerID !== containerId || container.state?.running === undefined;
  };
  try {
    await until(isTold, signal);
    return performance.now() - startedMs;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
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
