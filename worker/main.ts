import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { parseDuration } from "../crds/duration.ts";
import { microTime } from "../crds/lease.ts";
import { readSslSettings } from "../db/connection-options.ts";
import { createDatabaseHealth } from "../db/health.ts";
import { measureDatabase } from "../db/metrics.ts";
import { openDatabase } from "../db/pool.ts";
import { protocolFiles } from "../db/schema-files.ts";
import { systemClock } from "../runtime/clock.ts";
import { EnvironmentReader } from "../runtime/environment.ts";
import { createKubeClient } from "../runtime/kube/client.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { measureKubeClient } from "../runtime/kube/metrics.ts";
import { createLog, type Log } from "../runtime/log.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { serveProbes } from "../runtime/probes.ts";
import { exitOnFailure, shutdownSignals } from "../runtime/shutdown.ts";
import { openTracing } from "../runtime/tracing/open.ts";
import { readTracingSettings } from "../runtime/tracing/settings.ts";
import { createDispatchPool, HEAP_MEGABYTES_MAX } from "./dispatch-pool/dispatch-pool.ts";
import { startDispatchProcess } from "./dispatch-pool/dispatch-process.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { createWorker } from "./worker.ts";

/** The worker process: reads its environment, builds what it runs on, runs until it has drained. */

function readEnvironment() {
  const environment = new EnvironmentReader(process.env);
  const pod = environment.text("POD_NAME", "the Pod's name", hostname());
  const settings = {
    databaseUrl: environment.secret(
      "DATABASE_URL",
      "the worker account's URL, such as mysql://user:password@host:3306/dispatch",
    ),
    ssl: readSslSettings(environment),
    namespace: environment.text("POD_NAMESPACE", "the namespace of the Cities", "default"),
    pod,
    podUid: environment.optional("POD_UID"),
    pool: environment.text("WORKER_POOL", "the worker's pool", "default"),
    zone: environment.text("WORKER_ZONE", "the worker's zone", "unknown"),
    version: environment.text("VERSION", "the version of the image", "dev"),
    capacity: environment.integer("WORKER_CAPACITY", { min: 1, max: 1_000_000 }, 100),
    heartbeatIntervalMs: environment.parsed("HEARTBEAT_INTERVAL", 5_000, parseDuration),
    drainLimitMs: environment.parsed("DRAIN_LIMIT", 25_000, parseDuration),
    threads: environment.integer("DISPATCH_THREADS", { min: 1, max: 64 }, 1),
    heapMegabytesMax: environment.integer(
      "DISPATCH_HEAP_MEGABYTES",
      { min: 16, max: 65_536 },
      HEAP_MEGABYTES_MAX,
    ),
    dispatchers: environment.optional("DISPATCHERS"),
    connectionsMax: environment.integer("DATABASE_CONNECTIONS", { min: 1, max: 1_000 }, 10),
    probePort: environment.integer("PROBE_PORT", { min: 0, max: 65_535 }, 8080),
    probeHost: environment.text("PROBE_HOST", "the address to serve probes on", "0.0.0.0"),
    tracing: readTracingSettings(environment),
    logLevel: environment.oneOf("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
  };
  environment.finish();
  return settings;
}

function createPools(
  settings: Pick<ReturnType<typeof readEnvironment>, "dispatchers" | "heapMegabytesMax" | "threads">,
  log: Log,
) {
  const { dispatchers, heapMegabytesMax, threads } = settings;
  const shared = {
    clock: systemClock,
    log,
    heapMegabytesMax,
    dispatchers: dispatchers === undefined ? undefined : resolve(dispatchers),
  };
  return {
    dispatchPool: createDispatchPool({ ...shared, threads }),
    // Most workers never need it.
    isolationPool: createDispatchPool({
      ...shared,
      threads: 1,
      startsAtOnce: false,
      startThread: startDispatchProcess,
    }),
  };
}

async function main(): Promise<void> {
  const settings = readEnvironment();
  const worker = `${settings.pod}-${randomBytes(3).toString("hex")}`;
  const log = createLog({ process: "worker", level: settings.logLevel }).child({ worker });
  const signals = shutdownSignals(process, log);
  const registered = createMetrics();
  const metrics = createWorkerMetrics(registered);
  const measured = (requestTimeoutMs: number, connectionsMax: number): KubeClient =>
    measureKubeClient(
      createKubeClient({ kubeconfig: { kind: "default" }, requestTimeoutMs, connectionsMax }),
      metrics.api,
      systemClock,
    );
  const client = measured(10_000, 4);
  const heartbeatClient = measured(settings.heartbeatIntervalMs, 1);
  const edges = { clock: systemClock, log };
  const { databaseUrl: url, ssl, connectionsMax } = settings;
  const database = measureDatabase(
    openDatabase({ ...edges, url, ssl, connectionsMax }),
    metrics.database,
    systemClock,
  );
  const databaseHealth = createDatabaseHealth({ ...edges, database, files: await protocolFiles() });
  const { dispatchPool, isolationPool } = createPools(settings, log);
  const tracing = await openTracing(settings.tracing, {
    ...edges,
    serviceName: "dispatch-worker",
    resource: { "service.instance.id": worker, "service.version": settings.version },
  });
  const instance = createWorker(
    {
      ...edges,
      random: Math.random,
      newCommitId: randomUUID,
      client,
      heartbeatClient,
      database,
      databaseHealth,
      dispatchPool,
      isolationPool,
      metrics,
      tracing,
    },
    {
      identity: {
        worker,
        pod: settings.pod,
        pool: settings.pool,
        zone: settings.zone,
        version: settings.version,
        capacity: settings.capacity,
        intervalMs: settings.heartbeatIntervalMs,
        since: microTime(Date.now()),
      },
      namespace: settings.namespace,
      podUid: settings.podUid,
      drainLimitMs: settings.drainLimitMs,
    },
  );
  const probes = await serveProbes({
    port: settings.probePort,
    host: settings.probeHost,
    registry: registered.registry,
    // A worker that loses the API server goes on ticking, so only its own loops count here.
    isLive: () => instance.health.stuck(),
    isReady: () => instance.health.unregistered() ?? databaseHealth.trouble(),
  });
  log.info({ pool: settings.pool, version: settings.version, port: probes.port }, "worker started");
  await instance.run(signals);
  await Promise.all([dispatchPool.close(), isolationPool.close()]);
  await Promise.all([database.close(), tracing.close()]);
  await Promise.all([client.close(), heartbeatClient.close(), probes.close()]);
  log.info({}, "worker ended");
}

exitOnFailure(process, main());
