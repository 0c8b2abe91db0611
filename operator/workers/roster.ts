import type { Heartbeat } from "../../crds/lease.ts";

/**
 * Which workers there are and how they are. Only change that this process saw itself counts, on its own monotonic
 * clock: a timestamp in a Lease is another machine's word and is never compared with anything.
 */

export type Liveness =
  /** Its Lease was there when we began to look, and has not changed since: it may have died long ago. */
  | "joining"
  | "live"
  /** Silent for two heartbeat intervals: it keeps what it holds and gets nothing new. */
  | "late"
  /** It asked to be relieved, and goes on ticking until then. */
  | "draining"
  | "gone";

/** What was seen of one worker. Times are this process's monotonic milliseconds. */
export type Observation = {
  readonly heartbeat: Heartbeat;
  /** When the heartbeat last changed, or when we began to look. */
  readonly beatMs: number;
  /** Whether we saw it change at all. */
  readonly hasBeaten: boolean;
  /** When one of its cities last committed; a worker that commits lives, whatever its heartbeat says. */
  readonly commitMs: number | undefined;
  /** A quorum read after the silence found the heartbeat unchanged. */
  readonly isConfirmedSilent: boolean;
  /** A newer process registered for the same Pod. */
  readonly isSuperseded: boolean;
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
  if (observation.isSuperseded) return { liveness: "gone", isSuspect: false, lookAgainInMs: Infinity };
  const silenceMs = nowMs - Math.max(observation.beatMs, observation.commitMs ?? -Infinity);
  const lateMs = LATE_AFTER_INTERVALS * heartbeat.intervalMs;
  const goneMs = GONE_AFTER_INTERVALS * heartbeat.intervalMs;
  if (silenceMs >= goneMs) {
    return {
      liveness: isConfirmedSilent ? "gone" : "late",
      isSuspect: !isConfirmedSilent,
      lookAgainInMs: Infinity,
    };
  }
  const isLate = silenceMs >= lateMs;
  const lookAgainInMs = (isLate ? goneMs : lateMs) - silenceMs;
  if (heartbeat.draining) return { liveness: "draining", isSuspect: false, lookAgainInMs };
  if (isLate) return { liveness: "late", isSuspect: false, lookAgainInMs };
  return { liveness: observation.hasBeaten ? "live" : "joining", isSuspect: false, lookAgainInMs };
}

export type WorkerView = {
  readonly id: string;
  readonly pod: string;
  readonly pool: string;
  readonly zone: string;
  readonly capacity: number;
  readonly liveness: Liveness;
};

export type RosterView = {
  readonly workers: ReadonlyMap<string, WorkerView>;
  /** Workers to confirm by a quorum read of their Lease. */
  readonly suspects: readonly string[];
  readonly lookAgainInMs: number;
};

/** Keeps one observation per worker. Its methods only record; the judgement is `livenessOf`. */
export class Roster {
  readonly #observations = new Map<string, Observation>();

  /**
   * A heartbeat was seen. `isFirstLook`: it was there when we began to look, so it is no sign of life. Returns whether
   * this can change a decision: most heartbeats only say that all is as before.
   */
  seen(heartbeat: Heartbeat, nowMs: number, isFirstLook: boolean): boolean {
    const previous = this.#observations.get(heartbeat.worker);
    this.#observations.set(heartbeat.worker, {
      heartbeat,
      beatMs: nowMs,
      hasBeaten: !isFirstLook,
      commitMs: previous?.commitMs,
      isConfirmedSilent: false,
      isSuperseded: previous?.isSuperseded ?? false,
    });
    if (previous === undefined) {
      this.#supersede(heartbeat.pod);
      return true;
    }
    const { liveness } = livenessOf(previous, nowMs);
    return liveness !== (heartbeat.draining ? "draining" : "live");
  }

  /** The worker's Lease is gone: it drained, or its Pod was deleted. */
  left(worker: string): void {
    this.#observations.delete(worker);
  }

  committed(worker: string, atMs: number): void {
    const observation = this.#observations.get(worker);
    if (observation === undefined || atMs <= (observation.commitMs ?? -Infinity)) return;
    this.#observations.set(worker, { ...observation, commitMs: atMs, isConfirmedSilent: false });
  }

  /** A quorum read, begun after the silence, found nothing new. */
  confirmSilent(worker: string): void {
    const observation = this.#observations.get(worker);
    if (observation !== undefined)
      this.#observations.set(worker, { ...observation, isConfirmedSilent: true });
  }

  /** After trouble of our own with the API server: what we did not see is no evidence, so all begins afresh. */
  observeAfresh(nowMs: number): void {
    for (const [worker, observation] of this.#observations) {
      this.#observations.set(worker, {
        ...observation,
        beatMs: nowMs,
        hasBeaten: false,
        isConfirmedSilent: false,
      });
    }
  }

  view(nowMs: number): RosterView {
    const workers = new Map<string, WorkerView>();
    const suspects: string[] = [];
    let lookAgainInMs = Infinity;
    for (const [id, observation] of this.#observations) {
      const { pod, pool, zone, capacity } = observation.heartbeat;
      const verdict = livenessOf(observation, nowMs);
      workers.set(id, { id, pod, pool, zone, capacity, liveness: verdict.liveness });
      if (verdict.isSuspect) suspects.push(id);
      lookAgainInMs = Math.min(lookAgainInMs, verdict.lookAgainInMs);
    }
    return { workers, suspects, lookAgainInMs };
  }

  /** Of several processes of one Pod only the last registered one lives. */
  #supersede(pod: string): void {
    const ofPod = [...this.#observations.values()].filter(({ heartbeat }) => heartbeat.pod === pod);
    const newest = ofPod.reduce((left, right) =>
      right.heartbeat.since > left.heartbeat.since ? right : left,
    );
    for (const observation of ofPod) {
      this.#observations.set(observation.heartbeat.worker, {
        ...observation,
        isSuperseded: observation !== newest,
      });
    }
  }
}
