import { DRAIN_ANNOTATION, podUidOf, type Heartbeat, type Lease } from "../../crds/lease.ts";
import { hasProcessEnded, type Pod } from "./pod-evidence.ts";

/**
 * Which workers there are and how they are. Only change that this process saw itself counts, on its own monotonic
 * clock: a timestamp in a Lease is another machine's word and is never compared with anything.
 */

export const LIVENESS = [
  /** Its Lease was there when we began to look, and has not changed since: it may have died long ago. */
  "joining",
  "live",
  /** Silent for two heartbeat intervals, or since it lost a stalled city: it keeps what it holds and gets nothing new. */
  "late",
  /** It asked to be relieved, or a person ordered it by its Pod's annotation; it goes on ticking until then. */
  "draining",
  "gone",
] as const;

export type Liveness = (typeof LIVENESS)[number];

/** What was seen of one worker. Times are this process's monotonic milliseconds. */
export type Observation = {
  readonly heartbeat: Heartbeat;
  /** When the heartbeat last changed, or when we began to look. */
  readonly beatMs: number;
  /** Whether we saw it change at all. */
  readonly hasBeaten: boolean;
  /** When one of its cities last committed; a worker that commits lives, whatever its heartbeat says. */
  readonly commitMs: number | undefined;
  /** When a city was last taken from it because it did not tick. */
  readonly failedMs: number | undefined;
  /** A quorum read after the silence found the heartbeat unchanged. */
  readonly isConfirmedSilent: boolean;
  /** Its Pod was deleted, its container exited, or a newer process registered for the same Pod. */
  readonly hasEnded: boolean;
  /** A person annotated its Pod. */
  readonly isDrainOrdered: boolean;
};

const LATE_AFTER_INTERVALS = 2;
const GONE_AFTER_INTERVALS = 3;

export type LivenessVerdict = {
  readonly liveness: Liveness;
  /** Silent long enough to be gone, but not confirmed by a quorum read yet: a watch that hangs must not move cities. */
  readonly isSuspect: boolean;
  /** When the verdict changes by itself if nothing more is seen; Infinity when it does not. */
  readonly lookAgainInMs: number;
};

/** Pure: the same observation at the same time gives the same verdict. */
export function livenessOf(observation: Observation, nowMs: number): LivenessVerdict {
  const { heartbeat, isConfirmedSilent } = observation;
  if (observation.hasEnded) return { liveness: "gone", isSuspect: false, lookAgainInMs: Infinity };
  const heardMs = Math.max(observation.beatMs, observation.commitMs ?? -Infinity);
  const silenceMs = nowMs - heardMs;
  const lateMs = LATE_AFTER_INTERVALS * heartbeat.intervalMs;
  const goneMs = GONE_AFTER_INTERVALS * heartbeat.intervalMs;
  if (silenceMs >= goneMs) {
    return {
      liveness: isConfirmedSilent ? "gone" : "late",
      isSuspect: !isConfirmedSilent,
      lookAgainInMs: Infinity,
    };
  }
  // A dead worker with short periods loses its cities before it is late; as the emptiest one it would get them all back.
  const isDoubtful = observation.failedMs !== undefined && observation.failedMs >= heardMs;
  const isLate = isDoubtful || silenceMs >= lateMs;
  const lookAgainInMs = (isLate ? goneMs : lateMs) - silenceMs;
  if (heartbeat.draining || observation.isDrainOrdered)
    return { liveness: "draining", isSuspect: false, lookAgainInMs };
  if (isLate) return { liveness: "late", isSuspect: false, lookAgainInMs };
  return { liveness: observation.hasBeaten ? "live" : "joining", isSuspect: false, lookAgainInMs };
}

export type WorkerView = {
  readonly id: string;
  readonly pod: string;
  readonly pool: string;
  readonly zone: string;
  readonly capacity: number;
  readonly version: string;
  /** When its Pod, or without one its Lease, was created: RFC 3339 on the API server's clock. */
  readonly bornAt: string;
  /** What it says itself. */
  readonly isDatabaseReachable: boolean;
  readonly liveness: Liveness;
};

export type RosterView = {
  readonly workers: ReadonlyMap<string, WorkerView>;
  /** Workers to confirm by a quorum read of their Lease. */
  readonly suspects: readonly string[];
  readonly lookAgainInMs: number;
};

/** What is known of one worker beside what is judged. */
type Known = {
  readonly observation: Observation;
  readonly podUid: string | undefined;
  readonly leaseCreatedAt: string;
  /** A newer process registered for the same Pod. */
  readonly isSuperseded: boolean;
};

/** Keeps one observation per worker. Its methods only record; the judgement is `livenessOf`. */
export class Roster {
  readonly #known = new Map<string, Known>();
  /** By UID, as they were last seen. */
  readonly #pods = new Map<string, Pod>();
  readonly #deletedPods = new Set<string>();

  /**
   * A heartbeat was seen. `isFirstLook`: it was there when we began to look, so it is no sign of life. Returns whether
   * this can change a decision: most heartbeats only say that all is as before.
   */
  seen(heartbeat: Heartbeat, lease: Pick<Lease, "metadata">, nowMs: number, isFirstLook: boolean): boolean {
    const previous = this.#known.get(heartbeat.worker);
    this.#known.set(heartbeat.worker, {
      observation: {
        heartbeat,
        beatMs: nowMs,
        hasBeaten: !isFirstLook,
        commitMs: previous?.observation.commitMs,
        failedMs: previous?.observation.failedMs,
        isConfirmedSilent: false,
        hasEnded: false,
        isDrainOrdered: false,
      },
      podUid: podUidOf(lease),
      leaseCreatedAt: lease.metadata.creationTimestamp ?? "",
      isSuperseded: previous?.isSuperseded ?? false,
    });
    if (previous === undefined) this.#supersede(heartbeat.pod);
    this.#judge(heartbeat.worker);
    if (previous === undefined) return true;
    const { heartbeat: before, isDrainOrdered } = previous.observation;
    const { liveness } = livenessOf(previous.observation, nowMs);
    return (
      liveness !== (heartbeat.draining || isDrainOrdered ? "draining" : "live") ||
      before.databaseReachable !== heartbeat.databaseReachable
    );
  }

  /** The worker's Lease is gone: it drained, or its Pod was deleted. */
  left(worker: string): void {
    const podUid = this.#known.get(worker)?.podUid;
    this.#known.delete(worker);
    if (podUid !== undefined && this.#workersOf(podUid).length === 0) this.#deletedPods.delete(podUid);
  }

  /** Returns whether this can change a decision. */
  podSeen(pod: Pod): boolean {
    const { uid = "" } = pod.metadata;
    this.#pods.set(uid, pod);
    return this.#judgeWorkersOf(uid);
  }

  /** Returns whether this can change a decision. */
  podDeleted(pod: Pod): boolean {
    const { uid = "" } = pod.metadata;
    this.#pods.delete(uid);
    if (this.#workersOf(uid).length > 0) this.#deletedPods.add(uid);
    return this.#judgeWorkersOf(uid);
  }

  committed(worker: string, atMs: number): void {
    const observation = this.#known.get(worker)?.observation;
    if (observation === undefined || atMs <= (observation.commitMs ?? -Infinity)) return;
    this.#update(worker, { commitMs: atMs, isConfirmedSilent: false });
  }

  /** A city was taken from it because it did not tick. */
  failed(worker: string, nowMs: number): void {
    this.#update(worker, { failedMs: nowMs });
  }

  /** A quorum read, begun after the silence, found nothing new. */
  confirmSilent(worker: string): void {
    this.#update(worker, { isConfirmedSilent: true });
  }

  /** After trouble of our own with the API server: what we did not see is no evidence, so all begins afresh. */
  observeAfresh(nowMs: number): void {
    for (const worker of this.#known.keys()) {
      this.#update(worker, { beatMs: nowMs, hasBeaten: false, isConfirmedSilent: false });
    }
  }

  /** What all that registered promise. */
  get heartbeatsPerSecond(): number {
    return this.#known
      .values()
      .reduce((sum, { observation }) => sum + 1_000 / observation.heartbeat.intervalMs, 0);
  }

  view(nowMs: number): RosterView {
    const workers = new Map<string, WorkerView>();
    const suspects: string[] = [];
    let lookAgainInMs = Infinity;
    for (const [id, { observation, podUid, leaseCreatedAt }] of this.#known) {
      const { pod, pool, zone, capacity, version, databaseReachable } = observation.heartbeat;
      const verdict = livenessOf(observation, nowMs);
      workers.set(id, {
        id,
        pod,
        pool,
        zone,
        capacity,
        version,
        bornAt: this.#pods.get(podUid ?? "")?.metadata.creationTimestamp ?? leaseCreatedAt,
        isDatabaseReachable: databaseReachable,
        liveness: verdict.liveness,
      });
      if (verdict.isSuspect) suspects.push(id);
      lookAgainInMs = Math.min(lookAgainInMs, verdict.lookAgainInMs);
    }
    return { workers, suspects, lookAgainInMs };
  }

  #update(worker: string, change: Partial<Observation>): void {
    const known = this.#known.get(worker);
    if (known === undefined) return;
    this.#known.set(worker, { ...known, observation: { ...known.observation, ...change } });
  }

  #workersOf(podUid: string): string[] {
    return [...this.#known].filter(([, known]) => known.podUid === podUid).map(([worker]) => worker);
  }

  #judgeWorkersOf(podUid: string): boolean {
    return this.#workersOf(podUid)
      .map((worker) => this.#judge(worker))
      .some((hasChanged) => hasChanged);
  }

  #judge(worker: string): boolean {
    const known = this.#known.get(worker);
    if (known === undefined) return false;
    const { podUid = "", isSuperseded, observation } = known;
    const pod = this.#pods.get(podUid);
    const hasEnded =
      isSuperseded ||
      this.#deletedPods.has(podUid) ||
      (pod !== undefined && hasProcessEnded(pod, observation.heartbeat.since));
    const isDrainOrdered = pod?.metadata.annotations?.[DRAIN_ANNOTATION] === "true";
    this.#update(worker, { hasEnded, isDrainOrdered });
    return hasEnded !== observation.hasEnded || isDrainOrdered !== observation.isDrainOrdered;
  }

  /** Of several processes of one Pod only the last registered one lives. */
  #supersede(pod: string): void {
    const ofPod = [...this.#known.values()].filter(({ observation }) => observation.heartbeat.pod === pod);
    const newest = ofPod.reduce((left, right) =>
      right.observation.heartbeat.since > left.observation.heartbeat.since ? right : left,
    );
    for (const known of ofPod) {
      const { worker } = known.observation.heartbeat;
      this.#known.set(worker, { ...known, isSuperseded: known !== newest });
      this.#judge(worker);
    }
  }
}
