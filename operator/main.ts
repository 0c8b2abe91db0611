import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { parseDuration } from "../crds/duration.ts";
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
import { createEventRecorder } from "../runtime/kube/events.ts";
import { createLog, type Log } from "../runtime/log.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { serveProbes } from "../runtime/probes.ts";
import { exitOnFailure, shutdownSignals } from "../runtime/shutdown.ts";
import { openTracing } from "../runtime/tracing/open.ts";
import { readTracingSettings } from "../runtime/tracing/settings.ts";
import { readCluster } from "./cluster.ts";
import { openConsole, type Console } from "./console/console.ts";
import { createOperatorMetrics } from "./metrics.ts";
import { createOperator, type Operator } from "./operator.ts";

/** The operator process: reads its environment, builds what it runs on, runs until it is told to end. */

function readEnvironment() {
  const environment = new EnvironmentReader(process.env);
  const settings = {
    databaseUrl: environment.secret(
      "DATABASE_URL",
      "the operator account's URL, such as mysql://user:password@host:3306/dispatch",
    ),
    ssl: readSslSettings(environment),
    namespace: environment.text("POD_NAMESPACE", "the namespace of the Cities", "default"),
    pod: environment.text("POD_NAME", "the Pod's name", hostname()),
    election: {
      leaseDurationMs: environment.parsed("ELECTION_LEASE_DURATION", 15_000, parseDuration),
      renewDeadlineMs: environment.parsed("ELECTION_RENEW_DEADLINE", 10_000, parseDuration),
      retryPeriodMs: environment.parsed("ELECTION_RETRY_PERIOD", 2_000, parseDuration),
    },
    tickRetentionMs: environment.parsed("TICK_RETENTION", 24 * 3_600_000, parseDuration),
    explanationRetentionMs: environment.parsed("EXPLANATION_RETENTION", 6 * 3_600_000, parseDuration),
    probePort: environment.integer("PROBE_PORT", { min: 0, max: 65_535 }, 8080),
    probeHost: environment.text("PROBE_HOST", "the address to serve probes on", "0.0.0.0"),
    console: environment.oneOf("CONSOLE", ["on", "off"], "off"),
    consolePort: environment.integer("CONSOLE_PORT", { min: 0, max: 65_535 }, 8081),
    tracing: readTracingSettings(environment),
    logLevel: environment.oneOf("LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
  };
  environment.finish();
  return settings;
}

async function openConsoleOf(
  operator: Operator,
  settings: ReturnType<typeof readEnvironment>,
  log: Log,
): Promise<Console> {
  const edges = { clock: systemClock, log };
  return openConsole(
    {
      ...edges,
      database: openDatabase({ ...edges, url: settings.databaseUrl, ssl: settings.ssl, connectionsMax: 2 }),
      look: () => operator.look(),
      replica: () => ({
        replica: settings.pod,
        isLeading: operator.isLeading,
        trouble: operator.health.blind(),
        authority: operator.authority(),
      }),
    },
    settings.consolePort,
  );
}

async function main(): Promise<void> {
  const settings = readEnvironment();
  const identity = `${settings.pod}-${randomBytes(3).toString("hex")}`;
  const log = createLog({ process: "operator", level: settings.logLevel }).child({ operator: identity });
  // There is nothing to hand over that the other replica does not know: the first signal ends it.
  const signal = shutdownSignals(process, log).draining;
  const registered = createMetrics();
  const metrics = createOperatorMetrics(registered);
  const measured = (requestTimeoutMs: number, connectionsMax: number): KubeClient =>
    measureKubeClient(
      createKubeClient({ kubeconfig: { kind: "default" }, requestTimeoutMs, connectionsMax }),
      metrics.api,
      systemClock,
    );
  const client = measured(10_000, 16);
  const electionClient = measured(settings.election.renewDeadlineMs / 2, 2);
  const edges = { clock: systemClock, random: Math.random, client, log };
  const { databaseUrl: url, ssl } = settings;
  const database = measureDatabase(
    openDatabase({ ...edges, url, ssl, connectionsMax: 8 }),
    metrics.database,
    systemClock,
  );
  const databaseHealth = createDatabaseHealth({ ...edges, database, files: await protocolFiles() });
  const events = createEventRecorder({
    ...edges,
    reportingController: "dispatch.city/operator",
    reportingInstance: identity,
  });
  const tracing = await openTracing(settings.tracing, {
    ...edges,
    serviceName: "dispatch-operator",
    resource: { "service.instance.id": identity },
  });
  let operator: Operator | undefined;
  let clusterTrouble = "the API server has not said yet which cluster this is";
  // Before all else, so that whoever waits for the operator can read what it waits for itself.
  const probes = await serveProbes({
    port: settings.probePort,
    host: settings.probeHost,
    registry: registered.registry,
    isLive: () => operator?.health.stuck(),
    isReady: () =>
      operator === undefined ? clusterTrouble : (operator.health.blind() ?? databaseHealth.trouble()),
  });
  log.info({ port: probes.port }, "operator started");
  const onTrouble = (trouble: string): void => {
    clusterTrouble = trouble;
  };
  const cluster = await readCluster({ ...edges, onTrouble }, signal);
  if (cluster !== undefined) {
    log.info({ because: cluster.version }, "cluster found");
    const running = createOperator(
      { ...edges, electionClient, database, events, metrics, tracing },
      { identity, clusterUid: cluster.uid, ...settings },
    );
    operator = running;
    const ending = new AbortController();
    const console = settings.console === "on" ? await openConsoleOf(running, settings, log) : undefined;
    const serving = console?.run(ending.signal);
    await Promise.race([running.run(signal), databaseHealth.run(ending.signal)]);
    ending.abort(new Error("the operator ended"));
    await serving;
  }
  await events.close();
  await Promise.all([database.close(), tracing.close()]);
  await Promise.all([client.close(), electionClient.close(), probes.close()]);
  log.info({}, "operator ended");
}

exitOnFailure(process, main());
