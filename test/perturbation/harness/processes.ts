import { randomBytes, randomUUID } from "node:crypto";
import { microTime, type Heartbeat } from "../../../crds/lease.ts";
import { createDatabaseHealth } from "../../../db/health.ts";
import { openDatabase, type Database } from "../../../db/pool.ts";
import type { TestDatabase } from "../../support/mysql.ts";
import { createOperatorMetrics } from "../../../operator/metrics.ts";
import { createOperator } from "../../../operator/operator.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { isOperational } from "../../../runtime/errors.ts";
import type { EventRecorder } from "../../../runtime/kube/events.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog, type Log } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { tracingOff } from "../../../runtime/tracing/span.ts";
import type { DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { createHeartbeat } from "../../../worker/heartbeat.ts";
import { anAnswer } from "../../support/dispatch-snapshot.ts";
import { createWorkerMetrics } from "../../../worker/metrics.ts";
import { createWorker } from "../../../worker/worker.ts";
import { Life, type Perturb } from "./life.ts";

/** The product's own operator and worker inside the test's process, each with a life that can be ended as by SIGKILL. */

export type Surroundings = {
  readonly namespace: string;
  readonly clusterUid: string;
  readonly client: KubeClient;
  readonly database: TestDatabase;
};

const ELECTION = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 400 };
const HEARTBEAT_INTERVAL_MS = 500;
const LEADER_LEASE = "dispatch-operator";

const metrics = createMetrics();
const operatorMetrics = createOperatorMetrics(metrics);
const workerMetrics = createWorkerMetrics(metrics);

/** Its own, as a process has them; closed with it. */
function connect(url: string): Database {
  return openDatabase({ url, connectionsMax: 4, log: silentLog, clock: systemClock });
}

const noEvents: EventRecorder = { record: () => undefined, dropped: 0, close: async () => undefined };

export type RunningOperator = {
  readonly life: Life;
  /** Whether it has listed all there is to see. */
  isSynced(): boolean;
  /** Resolves when it has ended; rejects with a mistake of its own. */
  readonly ended: Promise<void>;
};

/** Sends every write as it is. */
export const undisturbed: Perturb = ({ send }, signal) => send(signal);

/** `view`: the API server as this operator sees it, where that is not as everybody else does. */
export function startOperator(
  { namespace, clusterUid, client, database }: Surroundings,
  options: { readonly perturb?: Perturb; readonly view?: KubeClient; readonly log?: Log } = {},
): RunningOperator {
  const { perturb = undisturbed, view = client, log = silentLog } = options;
  const life = new Life();
  const connections = connect(database.urls.operator);
  const ownClient = life.client(view, perturb);
  const operator = createOperator(
    {
      clock: systemClock,
      random: Math.random,
      client: ownClient,
      electionClient: life.client(client, undisturbed),
      database: life.database(connections, perturb),
      events: noEvents,
      log,
      metrics: operatorMetrics,
      tracing: tracingOff,
    },
    {
      identity: `operator-${randomBytes(4).toString("hex")}`,
      namespace,
      clusterUid,
      tickRetentionMs: 3_600_000,
      explanationRetentionMs: 3_600_000,
      election: ELECTION,
    },
  );
  const run = async (): Promise<void> => {
    try {
      await operator.run(life.signal);
    } catch (error) {
      // A killed process says nothing any more; a living one must not fail.
      if (!life.signal.aborted || !isOperational(error)) throw error;
    } finally {
      await connections.close();
    }
  };
  return { life, isSynced: () => operator.health.blind() === undefined, ended: run() };
}

/** The leadership of a killed operator ends with its Lease; waiting for that proves nothing here. */
export async function expireLeadership({ client, namespace }: Surroundings): Promise<void> {
  await client.remove(LEASES, { namespace, name: LEADER_LEASE }, new AbortController().signal);
}

/** Decides nothing, at once: these worlds are about who may commit, not what. */
const idleDispatch: DispatchPool = {
  run: async () => anAnswer(),
  isReady: () => true,
  close: async () => undefined,
};

export type RunningWorker = {
  readonly pod: string;
  /** Asks it to hand over and end; resolves when it has. */
  drain(): Promise<void>;
  stop(): Promise<void>;
};

export function startWorker(
  { namespace, client, database }: Surroundings,
  pod: string,
  { pool = "default", log = silentLog }: { readonly pool?: string; readonly log?: Log } = {},
): RunningWorker {
  const draining = new AbortController();
  const stopping = new AbortController();
  const connections = connect(database.urls.worker);
  const worker = createWorker(
    {
      clock: systemClock,
      random: Math.random,
      newCommitId: randomUUID,
      client,
      heartbeatClient: client,
      database: connections,
      databaseHealth: createDatabaseHealth({ database: connections, files: [], clock: systemClock, log }),
      dispatchPool: idleDispatch,
      isolationPool: idleDispatch,
      log,
      metrics: workerMetrics,
      tracing: tracingOff,
    },
    {
      identity: identityOf(pod, pool),
      namespace,
      podUid: undefined,
      drainLimitMs: 25_000,
    },
  );
  const run = async (): Promise<void> => {
    try {
      await worker.run({ draining: draining.signal, stopping: stopping.signal });
    } finally {
      await connections.close();
    }
  };
  const ended = run();
  // Awaited by whoever ends it.
  ended.catch(() => undefined);
  return {
    pod,
    async drain() {
      draining.abort(new Error("the worker is drained"));
      await ended;
    },
    async stop() {
      stopping.abort(new Error("the test is over"));
      await ended;
    },
  };
}

/** A worker of which nothing works but its heartbeat: it is given cities and never claims one. `leave` takes it away. */
export function startMuteWorker(
  { namespace, client }: Surroundings,
  pod: string,
  pool: string,
): { leave(): Promise<void> } {
  const ending = new AbortController();
  const heartbeat = createHeartbeat({
    client,
    clock: systemClock,
    log: silentLog,
    metrics: workerMetrics,
    namespace,
    podUid: undefined,
    identity: identityOf(pod, pool),
    isDatabaseReachable: () => true,
  });
  const beating = heartbeat.run(ending.signal);
  return {
    async leave() {
      ending.abort(new Error("the worker left"));
      await beating;
      await heartbeat.remove();
    },
  };
}

function identityOf(pod: string, pool: string): Omit<Heartbeat, "draining" | "databaseReachable"> {
  return {
    worker: `${pod}-${randomBytes(3).toString("hex")}`,
    pod,
    pool,
    zone: "a",
    version: "1",
    capacity: 100,
    intervalMs: HEARTBEAT_INTERVAL_MS,
    since: microTime(Date.now()),
  };
}
