import {
  CITY_GROUP,
  CITY_PLURAL,
  CITY_VERSION,
  SEAL_FINALIZER,
  periodMsOf,
  taskSpecOf,
  type City,
} from "../crds/city.ts";
import {
  CITY_LABEL,
  COMPONENT_LABEL,
  cityLeaseName,
  decodeAssignment,
  decodeHeartbeat,
  workerLeaseName,
  type Lease,
} from "../crds/lease.ts";
import { parseToken, type FencingToken } from "../crds/token.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { createReflector, type Reflector } from "../runtime/kube/reflector.ts";
import { LEASES, type Resource } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";
import type { AuthorityView, CityView, FleetView, LeaseView } from "./cities/view.ts";
import type { Progress } from "./progress/progress.ts";
import { Roster } from "./workers/roster.ts";

export const CITIES: Resource = {
  group: CITY_GROUP,
  version: CITY_VERSION,
  plural: CITY_PLURAL,
  kind: "City",
  namespaced: true,
};

/** MySQL counts as reachable for this long after its last answer to the progress reader, which asks every second. */
const DATABASE_DOUBT_MS = 3_000;
/** A tick is seen by the progress reader up to two of its rounds after it was committed. */
const PROGRESS_SLACK_MS = 2_000;
const CONFIRM_LIMIT_MS = 2_000;

/**
 * Gather: keeps Cities, City Leases and worker Leases in memory and shows them as one view. It runs on every replica,
 * so that a new leader has its own observations already.
 */
export class Fleet {
  readonly #cities: Reflector<City>;
  readonly #cityLeases: Reflector<Lease>;
  readonly #workerLeases: Reflector<Lease>;
  readonly #roster = new Roster();
  readonly #progress: Progress;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #clusterUid: string;
  /** Leases that we wrote ourselves and that the reflector may not show yet; the larger resourceVersion counts. */
  readonly #ownWrites = new Map<string, Lease>();
  readonly #movedMs = new Map<string, number>();
  readonly #watchedSinceMs = new Map<string, number>();
  readonly #confirming = new Set<string>();

  constructor(input: {
    readonly client: KubeClient;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly namespace: string;
    readonly clusterUid: string;
    readonly progress: Progress;
    /** Something changed on which a decision can depend. */
    readonly onChange: () => void;
    readonly onCityGone: (city: City) => void;
  }) {
    this.#clock = input.clock;
    this.#log = input.log;
    this.#client = input.client;
    this.#namespace = input.namespace;
    this.#clusterUid = input.clusterUid;
    this.#progress = input.progress;
    const { client, clock, random, log, namespace } = input;
    const shared = { client, clock, random, log, namespace };
    this.#cities = createReflector<City>({
      ...shared,
      resource: CITIES,
      onChange: (change) => {
        if (change.kind === "deleted") {
          this.#forget(change.object.metadata.name);
          input.onCityGone(change.object);
        }
        if (change.kind !== "updated" || isSpecified(change.object, change.previous)) input.onChange();
      },
    });
    this.#cityLeases = createReflector<Lease>({
      ...shared,
      resource: LEASES,
      labelSelector: `${COMPONENT_LABEL}=city`,
      onChange: (change) => {
        if (change.kind === "deleted")
          this.#ownWrites.delete(change.object.metadata.labels?.[CITY_LABEL] ?? "");
        input.onChange();
      },
    });
    this.#workerLeases = createReflector<Lease>({
      ...shared,
      resource: LEASES,
      labelSelector: `${COMPONENT_LABEL}=worker`,
      onChange: (change) => {
        if (this.#observe(change.kind, change.object)) input.onChange();
      },
      // What happens while the watch is down stays unseen, so it must not count as silence.
      onLost: () => this.#roster.observeAfresh(clock.monotonicMs()),
      onRegained: () => this.#roster.observeAfresh(clock.monotonicMs()),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#cities.run(signal),
      this.#cityLeases.run(signal),
      this.#workerLeases.run(signal),
    ]);
  }

  async waitSynced(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#cities.waitSynced(signal),
      this.#cityLeases.waitSynced(signal),
      this.#workerLeases.waitSynced(signal),
    ]);
  }

  get isSynced(): boolean {
    return this.#cities.synced && this.#cityLeases.synced && this.#workerLeases.synced;
  }

  /** The picture to decide on, and when to look at it again if nothing happens. */
  view(input: { readonly authority: AuthorityView; readonly shedBudget: number }): {
    readonly fleet: FleetView;
    readonly suspects: readonly string[];
    readonly lookAgainInMs: number;
  } {
    const nowMs = this.#clock.monotonicMs();
    const roster = this.#roster.view(nowMs);
    const { lastReadMs } = this.#progress;
    return {
      fleet: {
        nowMs,
        cities: this.#cities.list().map((city) => this.#cityView(city, nowMs)),
        workers: roster.workers,
        authority: input.authority,
        isDatabaseReachable: lastReadMs !== undefined && nowMs - lastReadMs < DATABASE_DOUBT_MS,
        shedBudget: input.shedBudget,
      },
      suspects: roster.suspects,
      lookAgainInMs: roster.lookAgainInMs,
    };
  }

  /** The City's Lease as we know it best: what the reflector shows, or what we wrote after that. */
  leaseOf(city: string): Lease | undefined {
    const shown = this.#cityLeases.get(cityLeaseName(city));
    const own = this.#ownWrites.get(city);
    if (own === undefined) return shown;
    if (shown === undefined || tokenOf(own) > tokenOf(shown)) return own;
    // The reflector has caught up: no need to keep a second copy of every Lease.
    this.#ownWrites.delete(city);
    return shown;
  }

  wrote(city: string, lease: Lease, isMove: boolean): void {
    this.#ownWrites.set(city, lease);
    if (isMove) this.#movedMs.set(city, this.#clock.monotonicMs());
  }

  /** A precondition of ours failed: asks the API server itself how the Lease is now. */
  async refresh(city: string, signal: AbortSignal): Promise<void> {
    const ref = { namespace: this.#namespace, name: cityLeaseName(city) };
    const lease = await this.#client.get<Lease>(LEASES, ref, signal);
    if (lease === undefined) this.#ownWrites.delete(city);
    else this.#ownWrites.set(city, lease);
  }

  sealed(city: string, token: FencingToken): void {
    this.#progress.sealed(city, token);
  }

  committed(worker: string, atMs: number): void {
    this.#roster.committed(worker, atMs);
  }

  /** After trouble of our own: nobody is judged by what we could not see. */
  observeAfresh(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#roster.observeAfresh(nowMs);
    for (const city of this.#watchedSinceMs.keys()) this.#watchedSinceMs.set(city, nowMs);
  }

  /**
   * Confirms a silence by a quorum read of the worker's Lease. A read that fails says that the trouble is ours: all
   * observation starts afresh.
   */
  async confirm(worker: string, signal: AbortSignal): Promise<void> {
    if (this.#confirming.has(worker)) return;
    this.#confirming.add(worker);
    try {
      const name = workerLeaseName(worker);
      const shown = this.#workerLeases.get(name)?.metadata.resourceVersion;
      const lease = await withDeadline(
        { clock: this.#clock, what: "the quorum read of a worker lease", limitMs: CONFIRM_LIMIT_MS, signal },
        (limited) => this.#client.get<Lease>(LEASES, { namespace: this.#namespace, name }, limited),
      );
      if (lease === undefined) this.#roster.left(worker);
      else if (lease.metadata.resourceVersion === shown) this.#roster.confirmSilent(worker);
      else this.#observe("updated", lease);
    } catch (error) {
      if (signal.aborted) return;
      if (!isOperational(error)) throw error;
      this.#log.warn({ worker, because: error.code }, "silence not confirmed, observing afresh");
      this.observeAfresh();
    } finally {
      this.#confirming.delete(worker);
    }
  }

  #observe(kind: "added" | "updated" | "deleted", lease: Lease): boolean {
    try {
      const heartbeat = decodeHeartbeat(lease);
      if (kind === "deleted") {
        this.#roster.left(heartbeat.worker);
        return true;
      }
      const isFirstLook = kind === "added" && !this.#workerLeases.synced;
      return this.#roster.seen(heartbeat, this.#clock.monotonicMs(), isFirstLook);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#log.warn({ worker: lease.metadata.name, err: error }, "worker lease not understood, ignored");
      return false;
    }
  }

  #cityView(city: City, nowMs: number): CityView {
    const { name } = city.metadata;
    const periodMs = periodMsOf(city.spec);
    const progress = this.#progress.get(name);
    const lease = this.leaseOf(name);
    if (!this.#watchedSinceMs.has(name)) this.#watchedSinceMs.set(name, nowMs);
    return {
      name,
      city,
      task: taskSpecOf(city, this.#clusterUid),
      isDeleting: city.metadata.deletionTimestamp !== undefined,
      hasFinalizer: city.metadata.finalizers?.includes(SEAL_FINALIZER) ?? false,
      isSuspended: city.spec.suspend,
      pool: city.spec.workerPool,
      weight: city.spec.weight ?? 1,
      periodMs,
      stallAfterMs: city.spec.stallAfterTicks * periodMs + PROGRESS_SLACK_MS,
      lease: lease === undefined ? undefined : leaseView(lease),
      fence: progress === undefined ? undefined : { ...progress.fence, advancedMs: progress.advancedMs },
      movedMs: this.#movedMs.get(name),
      watchedSinceMs: this.#watchedSinceMs.get(name) ?? nowMs,
    };
  }

  #forget(city: string): void {
    this.#movedMs.delete(city);
    this.#watchedSinceMs.delete(city);
    this.#ownWrites.delete(city);
    this.#progress.forget(city);
  }
}

function leaseView(lease: Lease): LeaseView {
  const { worker, token, task, since } = decodeAssignment(lease);
  return { worker, token, task, since };
}

function tokenOf(lease: Lease): bigint {
  return parseToken(lease.metadata.resourceVersion ?? "");
}

/** Whether people, or the finalizer, changed the City; its status is our own. */
function isSpecified(city: City, previous: City | undefined): boolean {
  return (
    previous === undefined ||
    city.metadata.generation !== previous.metadata.generation ||
    city.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    city.metadata.finalizers?.length !== previous.metadata.finalizers?.length
  );
}
