import { CITIES } from "../crds/city.ts";
import { sealCity } from "../db/seal.ts";
import type { Database } from "../db/pool.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import type { EventRecorder } from "../runtime/kube/events.ts";
import { createLeaderElection } from "../runtime/kube/leader-election.ts";
import type { Log } from "../runtime/log.ts";
import { waitForParts } from "../runtime/parts.ts";
import type { Tracing } from "../runtime/tracing/span.ts";
import { createAuthority } from "./authority.ts";
import { progressWritesPerSecond } from "./cities/budgets.ts";
import { createStatusWriter } from "./cities/status-writer.ts";
import { Statuses } from "./cities/statuses.ts";
import type { AuthorityView, FleetLook } from "./cities/view.ts";
import { createChangeTraces } from "./change-traces.ts";
import { Controller } from "./controller.ts";
import { Fleet } from "./fleet.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { runPruner } from "./progress/pruner.ts";
import { Progress } from "./progress/progress.ts";
import { runProgressReader } from "./progress/reader.ts";

export type OperatorDependencies = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly client: KubeClient;
  /** For leader election, with a connection of its own: renewals must not wait behind anything. */
  readonly electionClient: KubeClient;
  readonly database: Database;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
  readonly tracing: Tracing;
};

export type OperatorSettings = {
  /** Distinct per process. */
  readonly identity: string;
  readonly namespace: string;
  readonly clusterUid: string;
  /** How long a tick is kept in the ledger. */
  readonly tickRetentionMs: number;
  /** How long it is kept why ticks decided as they did, with the records for replays. */
  readonly explanationRetentionMs: number;
  readonly election: {
    readonly leaseDurationMs: number;
    readonly renewDeadlineMs: number;
    readonly retryPeriodMs: number;
  };
};

export type Operator = {
  run(signal: AbortSignal): Promise<void>;
  /** The fleet as this replica sees it; undefined before it has been listed. */
  look(): FleetLook | undefined;
  readonly isLeading: boolean;
  authority(): AuthorityView;
  readonly health: {
    /** Why it cannot see the fleet; undefined when it can. */
    blind(): string | undefined;
    /** What keeps the leader's loop from turning; undefined when it turns, and on a replica that does not lead. */
    stuck(): string | undefined;
  };
};

/** Not named like the Lease of any City or worker: a City may be called "operator". */
const ELECTION_LEASE = "dispatch-operator";
const SEAL_LIMIT_MS = 3_000;
/** The leader looks at the fleet at least once a second. */
const ROUND_SILENCE_MAX_MS = 15_000;

/**
 * Every replica observes the fleet; the leader decides and acts. A replica that takes over has seen all there is to see,
 * and adopts every assignment as it stands.
 */
export function createOperator(dependencies: OperatorDependencies, settings: OperatorSettings): Operator {
  const { clock, random, client, database, log, metrics } = dependencies;
  const { namespace, clusterUid } = settings;
  const progress = new Progress();
  const startedMs = clock.monotonicMs();
  metrics.databaseSilence(() => (clock.monotonicMs() - (progress.lastReadMs ?? startedMs)) / 1_000);
  const statusWriter = createStatusWriter({
    client,
    resource: CITIES,
    clock,
    log,
    progressWritesPerSecond: () => progressWritesPerSecond(fleet.heartbeatsPerSecond),
    onFailed: (city) => statuses.forget(city),
  });
  const statuses: Statuses = new Statuses({ clock, writer: statusWriter });
  const changeTraces = createChangeTraces(dependencies.tracing, () => clock.monotonicMs());
  const fleet: Fleet = new Fleet({
    client,
    clock,
    random,
    log,
    namespace,
    clusterUid,
    progress,
    onChange: () => controller.poke(),
    onSpecified: (city) => changeTraces.seen(city),
    onCityGone: (city) => {
      changeTraces.forget(city.metadata.name);
      statusWriter.forget(city);
      statuses.forget(city);
    },
    onRewritten: () => {
      statusWriter.forgetAll();
      statuses.forgetAll();
    },
  });
  const authority = createAuthority({ database, clusterUid, clock, log, onChange: () => controller.poke() });
  const controller: Controller = new Controller({
    ...dependencies,
    cities: CITIES,
    fleet,
    authority,
    changeTraces,
    statusWriter,
    statuses,
    seal: (city, token, signal) =>
      withDeadline({ clock, what: "the seal", limitMs: SEAL_LIMIT_MS, signal }, (limited) =>
        sealCity(database, { city, clusterUid, token }, limited),
      ),
  });
  const election = createLeaderElection({
    client: dependencies.electionClient,
    clock,
    random,
    log,
    namespace,
    name: ELECTION_LEASE,
    identity: settings.identity,
    ...settings.election,
  });
  async function lead(signal: AbortSignal): Promise<void> {
    metrics.leading(1);
    try {
      const retention = {
        keepMs: settings.tickRetentionMs,
        keepExplanationsMs: settings.explanationRetentionMs,
      };
      await waitForParts(
        {
          controller: controller.lead(signal),
          pruner: runPruner({ database, clock, log, ...retention }, signal),
        },
        { clock, log, signal },
      );
    } finally {
      metrics.leading(0);
    }
  }

  return {
    async run(signal) {
      const ending = new AbortController();
      const observing = Promise.all([
        fleet.run(ending.signal),
        runProgressReader(
          {
            database,
            progress,
            authority,
            clock,
            log,
            onAdvances: (advances) => {
              for (const { holder, committedMs } of advances) {
                if (holder !== undefined) fleet.committed(holder, committedMs);
              }
              controller.poke();
            },
          },
          ending.signal,
        ),
      ]);
      try {
        await Promise.race([election.run({ onLead: lead }, signal), observing]);
      } finally {
        ending.abort(new Error("the operator ended"));
        await observing;
      }
    },
    look: () => (fleet.isSynced ? fleet.look() : undefined),
    get isLeading() {
      return election.isLeading;
    },
    authority: () => authority.view(),
    health: {
      blind: () =>
        fleet.trouble ?? (fleet.isSynced ? undefined : "Cities and Leases have not been listed yet"),
      stuck() {
        const silenceMs = controller.silenceMs();
        return election.isLeading && silenceMs > ROUND_SILENCE_MAX_MS
          ? `the leader has not looked at the fleet for ${Math.round(silenceMs)} ms`
          : undefined;
      },
    },
  };
}
