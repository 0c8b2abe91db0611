import {
  COMPONENT_LABEL,
  POD_LABEL,
  encodeHeartbeat,
  shortWorkerId,
  workerLeaseName,
  type Heartbeat,
  type Lease,
} from "../crds/lease.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { LEASES } from "../runtime/kube/resources.ts";
import type { Log } from "../runtime/log.ts";
import type { WorkerMetrics } from "./metrics.ts";

/**
 * The worker's renewal of its own Lease: the only thing it ever writes to the API server, and the operator's first
 * evidence that it lives. A worker that cannot write it goes on ticking: its commits are evidence as well.
 */
export type HeartbeatSender = {
  /** Beats until the signal aborts; owns every write it starts. */
  run(signal: AbortSignal): Promise<void>;
  /** Marks the worker as draining and beats at once; resolves when the API server has it, or after one interval. */
  drain(signal: AbortSignal): Promise<void>;
  /** Deletes the Lease: the worker holds nothing and ends. */
  remove(): Promise<void>;
  /** Monotonic time at which the loop last turned, whether the beat went through or not. */
  lastTurnMs(): number;
  /** Why the API server does not have our latest beat; undefined when it has. */
  trouble(): string | undefined;
};

const REMOVE_LIMIT_MS = 2_000;

export function createHeartbeat(input: {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly namespace: string;
  readonly podUid: string | undefined;
  /** What does not change while the process lives. */
  readonly identity: Omit<Heartbeat, "draining" | "databaseReachable">;
  readonly isDatabaseReachable: () => boolean;
}): HeartbeatSender {
  const { client, clock, log, metrics, namespace, identity } = input;
  const ref = { namespace, name: workerLeaseName(identity.worker) };
  let isDraining = false;
  let present: Lease | undefined;
  let hasBeaten = false;
  let trouble: string | undefined = "the worker has not registered yet";
  let lastTurnMs = clock.monotonicMs();
  let lastBeatMs = lastTurnMs;
  metrics.heartbeatAge(() => (clock.monotonicMs() - lastBeatMs) / 1_000);

  async function write(signal: AbortSignal): Promise<void> {
    const lease = encodeHeartbeat({
      heartbeat: { ...identity, draining: isDraining, databaseReachable: input.isDatabaseReachable() },
      namespace,
      podUid: input.podUid,
      replaces: present,
      nowMs: clock.wallMs(),
    });
    present =
      present === undefined
        ? await client.create<Lease>(LEASES, lease, signal)
        : await client.replace<Lease>(LEASES, lease, signal);
  }

  /**
   * A process of this Pod that ended without a drain left its Lease behind, which only the Pod's end would take away. It
   * surely lives no more, so the operator need not wait out its silence.
   */
  async function removePredecessors(signal: AbortSignal): Promise<void> {
    const labelSelector = `${COMPONENT_LABEL}=worker,${POD_LABEL}=${shortWorkerId(identity.pod)}`;
    const { items } = await client.list<Lease>(LEASES, { namespace, labelSelector }, signal);
    for (const { metadata } of items) {
      if (metadata.name === ref.name) continue;
      await client.remove(LEASES, { namespace, name: metadata.name }, signal);
      log.info({ because: metadata.name }, "worker lease of an earlier process removed");
    }
  }

  /** After a write whose answer was lost, or after somebody deleted the Lease: take its present state as the base. */
  async function refresh(signal: AbortSignal): Promise<void> {
    present = await client.get<Lease>(LEASES, ref, signal);
  }

  async function beat(signal: AbortSignal): Promise<void> {
    try {
      await withDeadline(
        { clock, what: "the heartbeat", limitMs: identity.intervalMs, signal },
        async (beatSignal) => {
          try {
            if (!hasBeaten) await removePredecessors(beatSignal);
            await write(beatSignal);
          } catch (error) {
            if (!isOperational(error) || error.remedy === "give-up") throw error;
            await refresh(beatSignal);
            await write(beatSignal);
          }
        },
      );
      hasBeaten = true;
      lastBeatMs = clock.monotonicMs();
      trouble = undefined;
      metrics.heartbeats("written");
    } catch (error) {
      if (signal.aborted) return;
      if (!isOperational(error)) throw error;
      metrics.heartbeats("failed");
      trouble = error.message;
      log.warn({ because: error.code, err: error }, "heartbeat failed");
    }
  }

  // One beat at a time: a later one starts when the one before has ended.
  let tail: Promise<void> = Promise.resolve();
  const beatInTurn = (signal: AbortSignal): Promise<void> => {
    tail = tail.then(() => beat(signal));
    return tail;
  };

  return {
    async run(signal) {
      let dueMs = clock.monotonicMs();
      while (!signal.aborted) {
        lastTurnMs = clock.monotonicMs();
        await beatInTurn(signal);
        // On a fixed rhythm, so that a slow write does not stretch the interval.
        dueMs = Math.max(dueMs + identity.intervalMs, clock.monotonicMs());
        try {
          await clock.sleep(dueMs - clock.monotonicMs(), signal);
        } catch (error) {
          if (!signal.aborted) throw error;
        }
      }
    },
    async drain(signal) {
      isDraining = true;
      await beatInTurn(signal);
    },
    async remove() {
      await tail;
      const never = new AbortController().signal;
      try {
        await withDeadline(
          { clock, what: "the removal", limitMs: REMOVE_LIMIT_MS, signal: never },
          (signal) => client.remove(LEASES, ref, signal),
        );
      } catch (error) {
        if (!isOperational(error)) throw error;
        log.warn({ because: error.code, err: error }, "worker lease not removed");
      }
    },
    lastTurnMs: () => lastTurnMs,
    trouble: () => trouble,
  };
}
