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
  cityUidOf,
  decodeAssignment,
  type Lease,
} from "../crds/lease.ts";
import { parseToken, type FencingToken } from "../crds/token.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { createReflector, type Reflector } from "../runtime/kube/reflector.ts";
import { LEASES, type Resource } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";
import type { CityView, FleetLook, FleetView, LeaseView } from "./cities/view.ts";
import type { Progress } from "./progress/progress.ts";
import { recentLosses } from "./workers/losses.ts";
import { Workers } from "./workers/workers.ts";

export const CITIES: Resource = {
  group: CITY_GROUP,
  version: CITY_VERSION,
  plural: CITY_PLURAL,
  kind: "City",
  namespaced: true,
};

type Specified = { readonly epoch: bigint } & Pick<CityView, "task" | "periodMs">;

/** MySQL counts as reachable for this long after its last answer to the progress reader, which asks every second. */
const DATABASE_DOUBT_MS = 3_000;
/** A tick is seen by the progress reader up to two of its rounds after it was committed. */
const PROGRESS_SLACK_MS = 2_000;
const REFRESH_LIMIT_MS = 2_000;

/**
 * Gather: keeps Cities, City Leases and worker Leases in memory and shows them as one view. It runs on every replica,
 * so that a new leader has its own observations already.
 */
export class Fleet {
  readonly #cities: Reflector<City>;
  readonly #cityLeases: Reflector<Lease>;
  readonly #workers: Workers;
  readonly #progress: Progress;
  readonly #clock: Clock;
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #clusterUid: string;
  /** Leases that we wrote or read ourselves and that the reflector may not show yet; the larger resourceVersion counts. */
  readonly #ownWrites = new Map<string, Lease>();
  readonly #movedMs = new Map<string, number>();
  readonly #watchedSinceMs = new Map<string, number>();
  /** The token that each Lease has, and since when we know. */
  readonly #assigned = new Map<string, { readonly token: FencingToken | undefined; readonly atMs: number }>();
  #lostMs: ReadonlyMap<string, number> = new Map();
  /** What follows from objects that never change: every round would otherwise parse all Leases and Cities anew. */
  readonly #leaseViews = new WeakMap<Lease, LeaseView>();
  readonly #specified = new WeakMap<City, Specified>();

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
    /** The API server's history went back: what we wrote last may be undone. */
    readonly onRewritten: () => void;
  }) {
    this.#clock = input.clock;
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
      // What we wrote may be undone, and its resourceVersion would hide what there is now.
      onRewritten: () => {
        this.#ownWrites.clear();
        input.onRewritten();
      },
      onChange: (change) => {
        if (change.kind === "deleted")
          this.#ownWrites.delete(change.object.metadata.labels?.[CITY_LABEL] ?? "");
        input.onChange();
      },
    });
    this.#workers = new Workers({ ...shared, onChange: input.onChange });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#cities.run(signal), this.#cityLeases.run(signal), this.#workers.run(signal)]);
  }

  async waitSynced(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#cities.waitSynced(signal),
      this.#cityLeases.waitSynced(signal),
      this.#workers.waitSynced(signal),
    ]);
  }

  get isSynced(): boolean {
    return this.#cities.synced && this.#cityLeases.synced && this.#workers.isSynced;
  }

  /** Why we cannot see what there is, in the API server's words. */
  get trouble(): string | undefined {
    return this.#cities.trouble ?? this.#cityLeases.trouble ?? this.#workers.trouble;
  }

  /** The picture to decide on, and when to look at it again if nothing happens. */
  view(input: Pick<FleetView, "authority" | "shedBudget" | "takeoverBudget">): {
    readonly fleet: FleetView;
    readonly suspects: readonly string[];
    readonly lookAgainInMs: number;
  } {
    const nowMs = this.#clock.monotonicMs();
    const { workers, suspects, lookAgainInMs } = this.#workers.view(nowMs);
    const { lastReadMs } = this.#progress;
    // Where the authority is not ours, or not known, nothing is assigned.
    const epoch = input.authority.kind === "ours" ? input.authority.epoch : 0n;
    const cities = this.#cities.list().map((city) => this.#cityView(city, epoch, nowMs));
    this.#lostMs = recentLosses({ cities, workers, before: this.#lostMs, nowMs });
    const isDatabaseReachable = lastReadMs !== undefined && nowMs - lastReadMs < DATABASE_DOUBT_MS;
    return {
      fleet: { ...input, nowMs, cities, workers, isDatabaseReachable, lostMs: this.#lostMs },
      suspects,
      lookAgainInMs,
    };
  }

  /** What there is, for people to look at: unlike `view`, it leaves no trace in what will be decided. */
  look(): FleetLook {
    const nowMs = this.#clock.monotonicMs();
    const { lastReadMs, databaseAheadMs } = this.#progress;
    return {
      databaseNowMs:
        databaseAheadMs === undefined ? this.#clock.wallMs() : Math.round(nowMs + databaseAheadMs),
      isDatabaseReachable: lastReadMs !== undefined && nowMs - lastReadMs < DATABASE_DOUBT_MS,
      workers: this.#workers.view(nowMs).workers,
      cities: this.#cities.list().map((city) => {
        const lease = this.leaseOf(city.metadata.name);
        return {
          city,
          periodMs: this.#specified.get(city)?.periodMs ?? periodMsOf(city.spec),
          lease: lease === undefined ? undefined : this.#leaseView(lease),
          fence: this.#progress.get(city.metadata.name)?.fence,
        };
      }),
    };
  }

  /** The City's Lease as we know it best: what the reflector shows, or what we wrote after that. */
  leaseOf(city: string): Lease | undefined {
    const shown = this.#cityLeases.get(cityLeaseName(city));
    const own = this.#ownWrites.get(city);
    if (own === undefined) return shown;
    const seen = this.#cityLeases.resourceVersion;
    if (seen === undefined || BigInt(seen) < tokenOf(own)) return own;
    // The reflector has come past our write, so what it shows is newer, or comes from a history that has lost our write.
    this.#ownWrites.delete(city);
    return shown;
  }

  wrote(city: string, lease: Lease, isMove: boolean): void {
    this.#ownWrites.set(city, lease);
    if (isMove) this.#movedMs.set(city, this.#clock.monotonicMs());
  }

  /**
   * Asks the API server itself how a City's Lease is now; undefined when there is none. It cannot have handed out a larger
   * token before.
   */
  async refresh(city: string, signal: AbortSignal): Promise<LeaseView | undefined> {
    const lease = await withDeadline(
      { clock: this.#clock, what: "the quorum read of a City Lease", limitMs: REFRESH_LIMIT_MS, signal },
      (limited) =>
        this.#client.get<Lease>(LEASES, { namespace: this.#namespace, name: cityLeaseName(city) }, limited),
    );
    if (lease === undefined) this.#ownWrites.delete(city);
    else this.#ownWrites.set(city, lease);
    return lease === undefined ? undefined : this.#leaseView(lease);
  }

  sealed(city: string, by: { readonly epoch: bigint; readonly token: FencingToken }): void {
    this.#progress.sealed(city, by, this.#clock.monotonicMs());
  }

  committed(worker: string, atMs: number): void {
    this.#workers.committed(worker, atMs);
  }

  /** Confirms that a worker is silent; after trouble of our own nobody is judged by what we could not see. */
  async confirmWorker(worker: string, signal: AbortSignal): Promise<void> {
    if ((await this.#workers.confirm(worker, signal)) === "confirmed") return;
    this.#workers.observeAfresh();
    const nowMs = this.#clock.monotonicMs();
    for (const city of this.#watchedSinceMs.keys()) this.#watchedSinceMs.set(city, nowMs);
  }

  #cityView(city: City, epoch: bigint, nowMs: number): CityView {
    const { name } = city.metadata;
    const { task, periodMs } = this.#specifiedBy(city, epoch);
    const progress = this.#progress.get(name);
    const lease = this.leaseOf(name);
    const leaseView = lease === undefined ? undefined : this.#leaseView(lease);
    const token = leaseView?.token;
    if (!this.#watchedSinceMs.has(name)) this.#watchedSinceMs.set(name, nowMs);
    if (this.#assigned.get(name)?.token !== token) this.#assigned.set(name, { token, atMs: nowMs });
    return {
      name,
      city,
      task,
      isDeleting: city.metadata.deletionTimestamp !== undefined,
      hasFinalizer: city.metadata.finalizers?.includes(SEAL_FINALIZER) ?? false,
      isSuspended: city.spec.suspend,
      pool: city.spec.workerPool,
      weight: city.spec.weight ?? 1,
      periodMs,
      stallAfterMs: city.spec.stallAfterTicks * periodMs + PROGRESS_SLACK_MS,
      lease: leaseView,
      fence: progress === undefined ? undefined : { ...progress.fence, advancedMs: progress.advancedMs },
      assignedMs: this.#assigned.get(name)?.atMs ?? nowMs,
      movedMs: this.#movedMs.get(name),
      watchedSinceMs: this.#watchedSinceMs.get(name) ?? nowMs,
    };
  }

  #specifiedBy(city: City, epoch: bigint): Specified {
    const known = this.#specified.get(city);
    if (known?.epoch === epoch) return known;
    const periodMs = periodMsOf(city.spec);
    const task = taskSpecOf(city, { clusterUid: this.#clusterUid, epoch });
    const specified = { epoch, periodMs, task };
    this.#specified.set(city, specified);
    return specified;
  }

  #leaseView(lease: Lease): LeaseView {
    const known = this.#leaseViews.get(lease);
    if (known !== undefined) return known;
    const { city: _city, ...assignment } = decodeAssignment(lease);
    const view = { ...assignment, cityUid: cityUidOf(lease) };
    this.#leaseViews.set(lease, view);
    return view;
  }

  #forget(city: string): void {
    this.#movedMs.delete(city);
    this.#watchedSinceMs.delete(city);
    this.#assigned.delete(city);
    this.#ownWrites.delete(city);
    this.#progress.forget(city);
  }
}

function tokenOf(lease: Lease): FencingToken {
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
