import { COMPONENT_LABEL, WORKER_LABEL, shortWorkerId, type Heartbeat, type Lease } from "../crds/lease.ts";
import type { DatabaseHealth } from "../db/health.ts";
import type { Database } from "../db/pool.ts";
import { createFence } from "../db/fence.ts";
import { readSnapshot } from "../db/snapshot.ts";
import { abortable, onceAborted } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { createReflector } from "../runtime/kube/reflector.ts";
import { LEASES } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";
import type { Tracing } from "../runtime/tracing/span.ts";
import { createAssignments } from "./assignments.ts";
import { createDatabaseClock } from "./database-clock.ts";
import type { DispatchPool } from "./dispatch-pool/dispatch-pool.ts";
import { createHeartbeat } from "./heartbeat.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { Fallback } from "./tenure/fallback.ts";
import type { Isolation } from "./tenure/isolation.ts";
import { createKeeper } from "./story/keeper.ts";
import { startTenure } from "./tenure/tenure.ts";
import { countWaiting, oldestAgeSeconds, type WaitingOrders } from "./tenure/waiting-orders.ts";

/** A loop that missed this many of its turns is stuck. */
const TURNS_MISSED_MAX = 5;
/** So many heartbeats may be left out at the start, for what the worker needs. */
const WARM_UP_INTERVALS_MAX = 2;

export type WorkerDependencies = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newCommitId: () => string;
  /** For the watch of City Leases. */
  readonly client: KubeClient;
  /** For heartbeats, with a connection of its own: they must not wait behind anything. */
  readonly heartbeatClient: KubeClient;
  readonly database: Database;
  readonly databaseHealth: DatabaseHealth;
  readonly dispatchPool: DispatchPool;
  /** For the cities that did harm to their thread. */
  readonly isolationPool: DispatchPool;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly tracing: Tracing;
};

export type WorkerSettings = {
  readonly identity: Omit<Heartbeat, "draining" | "databaseReachable">;
  readonly namespace: string;
  readonly podUid: string | undefined;
  /** How long a drain may take before the worker exits with what it still holds. */
  readonly drainLimitMs: number;
};

export type Worker = {
  /**
   * Runs until it has drained after `draining` aborts, or until `stopping` aborts. Rejects only for a mistake of our
   * own.
   */
  run(signals: { readonly draining: AbortSignal; readonly stopping: AbortSignal }): Promise<void>;
  /** For the probes. */
  readonly health: {
    /** What keeps the loops from turning; undefined when they turn. */
    stuck(): string | undefined;
    /** Why it cannot be given cities; undefined when it can. */
    unregistered(): string | undefined;
  };
};

export function createWorker(dependencies: WorkerDependencies, settings: WorkerSettings): Worker {
  const { clock, log, database, databaseHealth, dispatchPool, metrics } = dependencies;
  const { identity, namespace } = settings;
  let didLastTickReach = true;
  const databaseClock = createDatabaseClock(clock);
  const isolations = new Map<string, Isolation>();
  const fallbacks = new Map<string, Fallback>();
  const waitingOrders: WaitingOrders = new Map();
  metrics.unassignedOrders(() => countWaiting(waitingOrders));
  metrics.oldestUnassignedOrder(() => oldestAgeSeconds(waitingOrders, databaseClock.nowMs()));
  const fence = createFence({ database, clock, random: dependencies.random, log });
  const keeper = createKeeper({ database, clock, log, count: metrics.kept });
  const heartbeat = createHeartbeat({
    client: dependencies.heartbeatClient,
    clock,
    log,
    metrics,
    namespace,
    podUid: settings.podUid,
    identity,
    // Whoever has no city ticks for none, and would never learn from ticks that the database is back.
    isDatabaseReachable: () => (assignments.size === 0 ? databaseHealth.isReachable() : didLastTickReach),
  });
  const assignments = createAssignments({
    worker: identity.worker,
    clock,
    log,
    onSize: metrics.cities,
    start: (assignment) =>
      startTenure(
        {
          ...dependencies,
          databaseClock,
          fence,
          isolations,
          keeper,
          version: identity.version,
          fallbacks,
          waitingOrders,
          readSnapshot: (city, signal) => readSnapshot(database, city, signal),
          worker: identity.worker,
          onDatabase: (isReachable) => {
            didLastTickReach = isReachable;
          },
        },
        assignment,
      ),
  });
  const reflector = createReflector<Lease>({
    client: dependencies.client,
    resource: LEASES,
    namespace,
    labelSelector: `${COMPONENT_LABEL}=city,${WORKER_LABEL}=${shortWorkerId(identity.worker)}`,
    clock,
    random: dependencies.random,
    log,
    onChange: (change) => {
      if (change.kind === "deleted") assignments.onLeaseGone(change.object);
      else assignments.onLease(change.object);
    },
  });

  const isWarm = (): boolean =>
    reflector.synced && databaseHealth.trouble() === undefined && dispatchPool.isReady();

  /**
   * Whoever registers is given the cities of those that drain, which ticked until then: what would start only then, on a machine
   * with little to spare, cost them slots. What does not come up, such as a database that is away, is not waited for for long.
   */
  async function warmUp(ending: AbortSignal): Promise<void> {
    const deadlineMs = clock.monotonicMs() + WARM_UP_INTERVALS_MAX * identity.intervalMs;
    while (!isWarm() && clock.monotonicMs() < deadlineMs && !ending.aborted) {
      await clock.sleep(50, ending).catch(() => undefined);
    }
  }

  /** Goes on ticking until the operator has moved every city away, or until the limit. */
  async function drain(stopping: AbortSignal): Promise<void> {
    log.info({ count: assignments.size }, "drain started");
    await heartbeat.drain(stopping);
    const deadlineMs = clock.monotonicMs() + settings.drainLimitMs;
    while (assignments.size > 0 && clock.monotonicMs() < deadlineMs && !stopping.aborted) {
      await clock.sleep(50, stopping).catch(() => undefined);
    }
    log.info({ count: assignments.size }, "drain ended");
  }

  return {
    async run({ draining, stopping }) {
      const ending = new AbortController();
      const running = Promise.all([
        warmUp(ending.signal).then(() => heartbeat.run(ending.signal)),
        reflector.run(ending.signal),
        databaseHealth.run(ending.signal),
      ]);
      try {
        await Promise.race([onceAborted(AbortSignal.any([draining, stopping])), running, assignments.failed]);
        if (!stopping.aborted) {
          await Promise.race([
            abortable(drain(stopping), stopping).catch(() => undefined),
            assignments.failed,
          ]);
        }
        await assignments.close();
        await keeper.close();
      } finally {
        ending.abort(new Error("the worker ended"));
        await running;
      }
      await heartbeat.remove();
    },
    health: {
      stuck() {
        const silenceMs = clock.monotonicMs() - heartbeat.lastTurnMs();
        return silenceMs > TURNS_MISSED_MAX * identity.intervalMs
          ? `the heartbeat loop has not turned for ${Math.round(silenceMs)} ms`
          : undefined;
      },
      unregistered() {
        // Once it has its Leases, it goes on with them whatever becomes of the watch.
        if (!reflector.synced) return reflector.trouble ?? "City Leases have not been listed yet";
        return heartbeat.trouble();
      },
    },
  };
}
