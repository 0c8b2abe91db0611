import { onceAborted, withDeadline } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { assert, AssertionError, isOperational } from "../errors.ts";
import type { Log } from "../log.ts";
import type { KubeClient } from "./kube-api.ts";
import {
  decideElection,
  heldLease,
  releasedLease,
  sight,
  type ElectionLease,
  type Sighting,
} from "./election.ts";
import { LEASES } from "./resources.ts";

/**
 * One leader among several processes, by a Lease that the leader renews and the others watch, as in client-go.
 *
 * What it does not guarantee: that there is never more than one. A process that was stopped for longer than the Lease is
 * good for goes on believing that it leads until its next renewal, and clocks may run at different speeds. What a leader
 * writes must be safe without it, by preconditions. An election makes two leaders rare and short, nothing else.
 */
export type LeaderElection = {
  /**
   * Stands for election until the signal aborts, and leads whenever elected. `onLead` gets a signal that aborts when
   * leadership is lost or the run ends; it must then end within `stopLimitMs`, else this rejects with an AssertionError,
   * on which the process should end. Resolves when the signal aborts or `onLead` returns of itself, with the Lease
   * released; rejects with what `onLead` rejects with.
   */
  run(input: { readonly onLead: (signal: AbortSignal) => Promise<void> }, signal: AbortSignal): Promise<void>;
  readonly isLeading: boolean;
  /** The identity that held the Lease when it was last read. */
  readonly holder: string | undefined;
};

export type LeaderElectionInput = {
  /** With connections of its own, and a request timeout well below `renewDeadlineMs`. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Distinct per process, not per host: a process must not take its predecessor's leadership for its own. */
  readonly identity: string;
  /** After how long without a renewal others may take over. Default 15 s; the API rounds it up to whole seconds. */
  readonly leaseDurationMs?: number;
  /** After how long without a successful renewal the leader steps down. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** From one renewal to the next. Default 2 s. */
  readonly retryPeriodMs?: number;
  /** How often a candidate looks, on the average. Default 500 ms: how long nobody leads after a release. */
  readonly candidatePollMs?: number;
  /** Default: the time between `renewDeadlineMs` and `leaseDurationMs`. */
  readonly stopLimitMs?: number;
};

const RELEASE_LIMIT_MS = 2_000;
const REREAD_PAUSE_MS = 50;

export function createLeaderElection(input: LeaderElectionInput): LeaderElection {
  return new Elector(input);
}

type LeadEnd = { readonly kind: "finished" } | { readonly kind: "failed"; readonly error: unknown };

class Elector implements LeaderElection {
  readonly #input: LeaderElectionInput;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #candidatePollMs: number;
  readonly #stopLimitMs: number;
  #sighting: Sighting | undefined;
  /** When the last successful renewal was sent: from then on, not from its answer, others count. */
  #renewedMs = Number.NEGATIVE_INFINITY;
  #isLeading = false;

  constructor(input: LeaderElectionInput) {
    this.#input = input;
    this.#leaseDurationMs = input.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = input.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = input.retryPeriodMs ?? 2_000;
    this.#candidatePollMs = input.candidatePollMs ?? 500;
    this.#stopLimitMs = input.stopLimitMs ?? this.#leaseDurationMs - this.#renewDeadlineMs;
    assert(
      this.#renewDeadlineMs < this.#leaseDurationMs,
      "a leader must step down before others may take over",
    );
    assert(this.#retryPeriodMs < this.#renewDeadlineMs, "a leader must renew more often than its deadline");
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  get holder(): string | undefined {
    const holder = this.#sighting?.lease?.spec?.holderIdentity ?? "";
    return holder === "" ? undefined : holder;
  }

  async run(
    { onLead }: { readonly onLead: (signal: AbortSignal) => Promise<void> },
    signal: AbortSignal,
  ): Promise<void> {
    try {
      let isOver = false;
      while (!isOver) {
        await this.#campaign(signal);
        isOver = await this.#lead(onLead, signal);
      }
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      throw error;
    }
  }

  /** Resolves as soon as we hold the Lease. */
  async #campaign(signal: AbortSignal): Promise<void> {
    const { clock, random, log, identity } = this.#input;
    for (;;) {
      let pauseMs = this.#candidatePollMs * (0.5 + random());
      try {
        const sighting = await this.#look(signal);
        const nowMs = clock.monotonicMs();
        const decision = decideElection({
          identity,
          leaseDurationMs: this.#leaseDurationMs,
          sighting,
          nowMs,
        });
        if (decision.kind !== "wait") {
          await this.#hold(decision, signal);
          return;
        }
        pauseMs = Math.min(pauseMs, decision.expiresInMs);
      } catch (error) {
        if (signal.aborted || !isOperational(error)) throw error;
        // Somebody was faster: that is what an election is.
        const isBeaten = error.remedy === "refresh";
        if (!isBeaten) {
          log.warn({ because: error.code, err: error }, "election not possible");
          pauseMs = this.#retryPeriodMs * (0.5 + random());
        }
      }
      await clock.sleep(pauseMs, signal);
    }
  }

  /** Leads until leadership is lost (false) or all is over (true). */
  async #lead(onLead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { clock, log, identity } = this.#input;
    const stepDown = new AbortController();
    const ending = new AbortController();
    const leadSignal = AbortSignal.any([signal, stepDown.signal]);
    this.#isLeading = true;
    log.info({ identity }, "leadership gained");
    const work: Promise<LeadEnd> = onLead(leadSignal).then(
      () => ({ kind: "finished" }),
      (error: unknown) => {
        const isConsequence = leadSignal.aborted && (error === leadSignal.reason || isOperational(error));
        return isConsequence ? { kind: "finished" } : { kind: "failed", error };
      },
    );
    // Renewed until the work has ended, also while it winds down after a stop.
    const renewal = this.#renewUntilLost(ending.signal);
    try {
      const first = await Promise.race([work, renewal, onceAborted(leadSignal)]);
      const lost = typeof first === "string" ? first : undefined;
      if (lost !== undefined) log.warn({ identity, because: lost }, "leadership lost");
      stepDown.abort(new Error(`leadership ended: ${lost ?? "stopping"}`));
      const overdue = clock.sleep(this.#stopLimitMs, ending.signal).then(() => "overdue" as const);
      const end = await Promise.race([work, overdue]);
      if (end === "overdue") {
        throw new AssertionError(
          `what the leader does did not end within ${this.#stopLimitMs} ms after its signal`,
        );
      }
      ending.abort(new Error("leadership ended"));
      await overdue.catch(() => undefined);
      const isStillHeld = (await renewal) === "ended";
      if (isStillHeld) await this.#release();
      if (end.kind === "failed") throw end.error;
      return lost === undefined || signal.aborted;
    } finally {
      this.#isLeading = false;
      stepDown.abort(new Error("leadership ended"));
      ending.abort(new Error("leadership ended"));
      await renewal;
    }
  }

  /** `ended`: the signal aborted and, as far as we know, the Lease is still ours. Any other answer: why it is not. */
  async #renewUntilLost(
    signal: AbortSignal,
  ): Promise<"ended" | "renewal-deadline" | "another-holder" | "lease-gone"> {
    const { clock, log, identity } = this.#input;
    let pauseMs = this.#retryPeriodMs;
    for (;;) {
      const restMs = this.#renewedMs + this.#renewDeadlineMs - clock.monotonicMs();
      if (restMs <= 0) return "renewal-deadline";
      try {
        await clock.sleep(Math.min(pauseMs, restMs), signal);
        const limitMs = this.#renewedMs + this.#renewDeadlineMs - clock.monotonicMs();
        if (limitMs <= 0) return "renewal-deadline";
        pauseMs = this.#retryPeriodMs;
        const lost = await withDeadline({ clock, what: "renewal", limitMs, signal }, (limited) =>
          this.#renew(limited),
        );
        if (lost !== undefined) return lost;
      } catch (error) {
        if (signal.aborted) return "ended";
        if (!isOperational(error)) throw error;
        log.warn({ identity, because: error.code, err: error }, "leadership not renewed");
        // What our knowledge was based on is out of date: read again at once.
        if (error.remedy === "refresh") {
          this.#sighting = undefined;
          pauseMs = Math.min(REREAD_PAUSE_MS, pauseMs);
        }
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<"another-holder" | "lease-gone" | undefined> {
    const { clock, identity } = this.#input;
    const sighting = this.#sighting ?? (await this.#look(signal));
    const nowMs = clock.monotonicMs();
    const decision = decideElection({ identity, leaseDurationMs: this.#leaseDurationMs, sighting, nowMs });
    if (decision.kind === "create") return "lease-gone";
    if (decision.kind !== "renew") return "another-holder";
    await this.#hold(decision, signal);
    return undefined;
  }

  async #hold(decision: Parameters<typeof heldLease>[0]["decision"], signal: AbortSignal): Promise<void> {
    const { client, clock, namespace, name, identity } = this.#input;
    const sentMs = clock.monotonicMs();
    const lease = heldLease({
      decision,
      namespace,
      name,
      identity,
      leaseDurationMs: this.#leaseDurationMs,
      wallMs: clock.wallMs(),
    });
    const written =
      decision.kind === "create"
        ? await client.create<ElectionLease>(LEASES, lease, signal)
        : await client.replace<ElectionLease>(LEASES, lease, signal);
    this.#renewedMs = sentMs;
    this.#sighting = { lease: written, unchangedSinceMs: sentMs };
  }

  async #look(signal: AbortSignal): Promise<Sighting> {
    const { client, clock, namespace, name } = this.#input;
    const lease = await client.get<ElectionLease>(LEASES, { namespace, name }, signal);
    this.#sighting = sight(this.#sighting, lease, clock.monotonicMs());
    return this.#sighting;
  }

  /** Never clears a successor's Lease: the write is for exactly the state in which we saw ourselves as holder. */
  async #release(): Promise<void> {
    const { client, clock, log, identity } = this.#input;
    const limits = { clock, what: "releasing the leadership", limitMs: RELEASE_LIMIT_MS };
    try {
      await withDeadline({ ...limits, signal: new AbortController().signal }, async (signal) => {
        // An aborted renewal may have arrived all the same, so what we knew last may be out of date.
        const { lease } = await this.#look(signal);
        if (lease?.spec?.holderIdentity !== identity) return;
        await client.replace<ElectionLease>(LEASES, releasedLease(lease, clock.wallMs()), signal);
        log.info({ identity }, "leadership released");
      });
    } catch (error) {
      if (!isOperational(error)) throw error;
      log.warn({ identity, because: error.code, err: error }, "leadership not released");
    }
  }
}
