import { CITIES, periodMsOf, type City } from "../crds/city.ts";
import { CITY_LABEL, COMPONENT_LABEL, cityLeaseName, type Lease } from "../crds/lease.ts";
import { parseToken, type FencingToken } from "../crds/token.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { createReflector, type Reflector } from "../runtime/kube/reflector.ts";
import { LEASES } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";
import type { FleetLook, FleetView, LeaseView } from "./cities/view.ts";
import { CityViews } from "./city-views.ts";
import type { Progress } from "./progress/progress.ts";
import { recentLosses } from "./workers/losses.ts";
import { Workers } from "./workers/workers.ts";

/** MySQL counts as reachable for this long after its last answer to the progress reader, which asks every second. */
const DATABASE_DOUBT_MS = 3_000;
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
  /** Leases that we wrote or read ourselves and that the reflector may not show yet; the larger resourceVersion counts. */
  readonly #ownWrites = new Map<string, Lease>();
  #lostMs: ReadonlyMap<string, number> = new Map();
  readonly #views: CityViews;

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
    /** People changed the City, or it was seen for the first time. */
    readonly onSpecified: (city: City) => void;
    readonly onCityGone: (city: City) => void;
    /** The API server's history went back: what we wrote last may be undone. */
    readonly onRewritten: () => void;
  }) {
    this.#clock = input.clock;
    this.#client = input.client;
    this.#namespace = input.namespace;
    this.#views = new CityViews(input.clusterUid);
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
        if (change.kind === "updated" && !isSpecified(change.object, change.previous)) return;
        if (change.kind !== "deleted") input.onSpecified(change.object);
        input.onChange();
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

  /** What all workers that registered promise. */
  get heartbeatsPerSecond(): number {
    return this.#workers.heartbeatsPerSecond;
  }

  /** The picture to decide on, and when to look at it again if nothing happens. */
  view(input: Pick<FleetView, "authority" | "shedBudget" | "takeoverBudget">): {
    readonly fleet: FleetView;
    readonly suspects: readonly string[];
    readonly lookAgainInMs: number;
  } {
    const nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    const { workers, suspects, lookAgainInMs } = this.#workers.view(nowMs);
    const { lastReadMs } = this.#progress;
    // Where the authority is not ours, or not known, nothing is assigned.
    const epoch = input.authority.kind === "ours" ? input.authority.epoch : 0n;
    const cities = this.#cities.list().map((city) => {
      const { name } = city.metadata;
      const gathered = { city, epoch, lease: this.leaseOf(name), progress: this.#progress.get(name) };
      return this.#views.viewOf(gathered, { nowMs, wallMs });
    });
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
          periodMs: periodMsOf(city.spec),
          lease: lease === undefined ? undefined : this.#views.leaseView(lease),
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
    if (isMove) this.#views.moved(city, this.#clock.monotonicMs());
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
    return lease === undefined ? undefined : this.#views.leaseView(lease);
  }

  sealed(city: string, by: { readonly epoch: bigint; readonly token: FencingToken }): void {
    this.#progress.sealed(city, by, this.#clock.monotonicMs());
  }

  committed(worker: string, atMs: number): void {
    this.#workers.committed(worker, atMs);
  }

  /** A city was taken from it because it did not tick. */
  failed(worker: string): void {
    this.#workers.failed(worker);
  }

  /** Confirms that a worker is silent; after trouble of our own nobody is judged by what we could not see. */
  async confirmWorker(worker: string, signal: AbortSignal): Promise<void> {
    if ((await this.#workers.confirm(worker, signal)) === "confirmed") return;
    this.#workers.observeAfresh();
    this.#views.watchAfresh(this.#clock.monotonicMs());
  }

  #forget(city: string): void {
    this.#views.forget(city);
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
