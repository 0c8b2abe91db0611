import { randomBytes, randomUUID } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { microTime } from "../../../crds/lease.ts";
import { createDatabaseHealth } from "../../../db/health.ts";
import { openDatabase } from "../../../db/pool.ts";
import { protocolFiles } from "../../../db/schema-files.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient } from "../../../runtime/kube/client.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { tracingOff } from "../../../runtime/tracing/span.ts";
import { createDispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { createWorker } from "../../../worker/worker.ts";
import { aQuestion, aRandomSnapshot } from "../../support/dispatch-snapshot.ts";
import type { HostSettings, Order, Report } from "./host-protocol.ts";

/**
 * A process that is many workers at once, each with an identity, heartbeats and watches of its own, as their processes
 * would have. Only what costs memory is shared: the connections to MySQL, the dispatch threads, the runtime. It takes
 * orders from its parent, and ends with it.
 */

const settings = JSON.parse(process.env["HOST"] ?? "{}") as HostSettings;
const log = createLog({ process: "worker", level: "warn" });
const edges = { clock: systemClock, log };
const database = openDatabase({
  ...edges,
  url: settings.databaseUrl,
  connectionsMax: settings.connectionsMax,
});
const files = await protocolFiles();
const dispatchPool = createDispatchPool({ ...edges, threads: settings.threads });
const isolationPool = createDispatchPool({ ...edges, threads: 1, startsAtOnce: false });

/** Of the city that keeps the dispatch threads busy. */
const BUSY_ORDERS = 1_000;
const BUSY_COURIERS = 1_000;
const BUSY_DEADLINE_MS = 500;

let latenessMs: number[] = [];
const heartbeatAtMs = new Map<string, number>();
let heartbeatGapsMs: number[] = [];
let dispatches = 0;
let saturation = new AbortController();
const loopDelay = monitorEventLoopDelay({ resolution: 10 });
loopDelay.enable();

const shared = createWorkerMetrics(createMetrics());
const draining = new Map<string, AbortController>();

/** The product's metrics, with samples in the place of what histograms would blur. */
function metricsOf(worker: string) {
  return {
    ...shared,
    lateness: (seconds: number) => {
      latenessMs.push(seconds * 1_000);
    },
    heartbeats: (outcome: "written" | "failed") => {
      shared.heartbeats(outcome);
      const nowMs = performance.now();
      const beforeMs = heartbeatAtMs.get(worker);
      if (beforeMs !== undefined) heartbeatGapsMs.push(nowMs - beforeMs);
      heartbeatAtMs.set(worker, nowMs);
    },
  };
}

function start(pod: string, version: string): void {
  const worker = `${pod}-${randomBytes(3).toString("hex")}`;
  const kubeconfig = { kind: "file", path: settings.kubeconfigPath } as const;
  const { heartbeatIntervalMs } = settings;
  const client = createKubeClient({ kubeconfig, requestTimeoutMs: 10_000, connectionsMax: 4 });
  const heartbeatClient = createKubeClient({
    kubeconfig,
    requestTimeoutMs: heartbeatIntervalMs,
    connectionsMax: 1,
  });
  const instance = createWorker(
    {
      ...edges,
      random: Math.random,
      newCommitId: randomUUID,
      client,
      heartbeatClient,
      database,
      databaseHealth: createDatabaseHealth({ ...edges, database, files }),
      dispatchPool,
      isolationPool,
      metrics: metricsOf(worker),
      tracing: tracingOff,
    },
    {
      identity: {
        worker,
        pod,
        pool: "default",
        zone: "a",
        version,
        capacity: 100,
        intervalMs: heartbeatIntervalMs,
        since: microTime(Date.now()),
      },
      namespace: "default",
      podUid: undefined,
      drainLimitMs: settings.drainLimitMs,
    },
  );
  const asked = new AbortController();
  draining.set(pod, asked);
  void instance.run({ draining: asked.signal, stopping: new AbortController().signal }).then(async () => {
    draining.delete(pod);
    heartbeatAtMs.delete(worker);
    await Promise.all([client.close(), heartbeatClient.close()]);
    process.send?.({ kind: "drained", pod });
  });
}

/** One call after the other, each of a city whose matching takes all the time that it is given. */
async function keepBusy(signal: AbortSignal): Promise<void> {
  const snapshot = aRandomSnapshot(1, { orders: BUSY_ORDERS, couriers: BUSY_COURIERS });
  while (!signal.aborted) {
    await dispatchPool.run(snapshot, aQuestion(), BUSY_DEADLINE_MS, signal).catch(() => undefined);
    dispatches += 1;
  }
}

function report(): Report {
  const answer: Report = {
    kind: "report",
    latenessMs,
    heartbeatGapsMs,
    dispatches,
    loopDelayMs: {
      p50: loopDelay.percentile(50) / 1e6,
      p99: loopDelay.percentile(99) / 1e6,
      max: loopDelay.max / 1e6,
    },
  };
  latenessMs = [];
  heartbeatGapsMs = [];
  dispatches = 0;
  loopDelay.reset();
  return answer;
}

process.on("message", (order: Order) => {
  switch (order.kind) {
    case "start":
      for (const pod of order.pods) start(pod, order.version);
      return;
    case "drain":
      for (const pod of order.pods) draining.get(pod)?.abort();
      return;
    case "saturate":
      saturation.abort();
      saturation = new AbortController();
      if (order.isOn)
        for (let thread = 0; thread < settings.threads; thread++) void keepBusy(saturation.signal);
      return;
    case "report":
      process.send?.(report());
      return;
    default:
      order satisfies never;
  }
});
process.on("disconnect", () => {
  process.exit(0);
});
process.send?.({ kind: "ready" });
