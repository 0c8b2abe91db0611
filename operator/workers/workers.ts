import { COMPONENT_LABEL, decodeHeartbeat, workerLeaseName, type Lease } from "../../crds/lease.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { createReflector, type Reflector } from "../../runtime/kube/reflector.ts";
import { LEASES, PODS } from "../../runtime/kube/resources.ts";
import type { Log } from "../../runtime/log.ts";
import type { Pod } from "./pod-evidence.ts";
import { Roster, type RosterView } from "./roster.ts";

export type WorkersInput = {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  /** Something changed on which a decision can depend. */
  readonly onChange: () => void;
};

const CONFIRM_LIMIT_MS = 2_000;

/** Gather, of the workers: watches their Leases and their Pods, and keeps the roster. */
export class Workers {
  readonly #input: WorkersInput;
  readonly #leases: Reflector<Lease>;
  readonly #pods: Reflector<Pod>;
  readonly #roster = new Roster();
  readonly #confirming = new Set<string>();

  constructor(input: WorkersInput) {
    this.#input = input;
    const labelSelector = `${COMPONENT_LABEL}=worker`;
    this.#leases = createReflector<Lease>({
      ...input,
      resource: LEASES,
      labelSelector,
      onChange: (change) => {
        if (this.#observe(change.kind, change.object)) input.onChange();
      },
      // What happens while the watch is down stays unseen, so it must not count as silence.
      onLost: () => this.observeAfresh(),
      onRegained: () => this.observeAfresh(),
    });
    this.#pods = createReflector<Pod>({
      ...input,
      resource: PODS,
      labelSelector,
      onChange: ({ kind, object }) => {
        const isRelevant =
          kind === "deleted" ? this.#roster.podDeleted(object) : this.#roster.podSeen(object);
        if (isRelevant) input.onChange();
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#leases.run(signal), this.#pods.run(signal)]);
  }

  /** Pods only hasten what heartbeats show as well, so nobody waits for them. */
  async waitSynced(signal: AbortSignal): Promise<void> {
    await this.#leases.waitSynced(signal);
  }

  get isSynced(): boolean {
    return this.#leases.synced;
  }

  /** Without Pods it goes as well, only later. */
  get trouble(): string | undefined {
    return this.#leases.trouble;
  }

  get heartbeatsPerSecond(): number {
    return this.#roster.heartbeatsPerSecond;
  }

  view(nowMs: number): RosterView {
    return this.#roster.view(nowMs);
  }

  committed(worker: string, atMs: number): void {
    this.#roster.committed(worker, atMs);
  }

  /** A city was taken from it because it did not tick. */
  failed(worker: string): void {
    this.#roster.failed(worker, this.#input.clock.monotonicMs());
  }

  observeAfresh(): void {
    this.#roster.observeAfresh(this.#input.clock.monotonicMs());
  }

  /**
   * Confirms a silence by a quorum read of the worker's Lease. Returns `unreadable` when the read failed: the trouble is
   * ours, and nobody may be judged by what we could not see.
   */
  async confirm(worker: string, signal: AbortSignal): Promise<"confirmed" | "unreadable"> {
    if (this.#confirming.has(worker)) return "confirmed";
    const { client, clock, log, namespace } = this.#input;
    this.#confirming.add(worker);
    try {
      const name = workerLeaseName(worker);
      const shown = this.#leases.get(name)?.metadata.resourceVersion;
      const lease = await withDeadline(
        { clock, what: "the quorum read of a worker lease", limitMs: CONFIRM_LIMIT_MS, signal },
        (limited) => client.get<Lease>(LEASES, { namespace, name }, limited),
      );
      if (lease === undefined) this.#roster.left(worker);
      else if (lease.metadata.resourceVersion === shown) this.#roster.confirmSilent(worker);
      else this.#observe("updated", lease);
      return "confirmed";
    } catch (error) {
      if (signal.aborted) return "confirmed";
      if (!isOperational(error)) throw error;
      log.warn({ worker, because: error.code }, "silence not confirmed, observing afresh");
      return "unreadable";
    } finally {
      this.#confirming.delete(worker);
    }
  }

  #observe(kind: "added" | "updated" | "deleted", lease: Lease): boolean {
    const { clock, log } = this.#input;
    try {
      const heartbeat = decodeHeartbeat(lease);
      if (kind === "deleted") {
        this.#roster.left(heartbeat.worker);
        return true;
      }
      const isFirstLook = kind === "added" && !this.#leases.synced;
      return this.#roster.seen(heartbeat, lease, clock.monotonicMs(), isFirstLook);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      log.warn({ worker: lease.metadata.name, err: error }, "worker lease not understood, ignored");
      return false;
    }
  }
}
