import { CITY_API_VERSION } from "../crds/city.ts";
import { abortable, childOf } from "../runtime/abort.ts";
import { isOperational } from "../runtime/errors.ts";
import type { EventRecorder } from "../runtime/kube/events.ts";
import { createTokenBucket, type TokenBucket } from "../runtime/kube/token-bucket.ts";
import { createWorkQueue } from "../runtime/kube/work-queue.ts";
import type { Log } from "../runtime/log.ts";
import { waitForParts } from "../runtime/parts.ts";
import { traceFieldOf } from "../runtime/tracing/span.ts";
import type { Authority } from "./authority.ts";
import type { ChangeTraces, RoundTimes } from "./change-traces.ts";
import { act, type ActDependencies, type Done } from "./cities/act.ts";
import { SHED_BURST, SHEDS_PER_SECOND, TAKEOVERS_PER_SECOND } from "./cities/budgets.ts";
import { placeCities, type Decision } from "./cities/place.ts";
import type { StatusWriter } from "./cities/status-writer.ts";
import type { Statuses } from "./cities/statuses.ts";
import { isBehindFence, type CityView, type FleetView } from "./cities/view.ts";
import type { Fleet } from "./fleet.ts";
import { createHistoryGuard, type HistoryGuard } from "./history.ts";
import { createIndicators, type Indicators } from "./indicators/indicators.ts";
import type { OperatorMetrics } from "./metrics.ts";

/**
 * The loop of the leader: gather → decide → act. A round looks at the whole fleet, decides every city by pure functions,
 * hands the cities that need something to a rate-limited queue of keys, and the statuses to the status writer. The queue
 * acts on the latest decision, one city at a time per key.
 */
export type ControllerDependencies = ActDependencies & {
  readonly fleet: Fleet;
  readonly authority: Authority;
  readonly statusWriter: StatusWriter;
  readonly statuses: Statuses;
  readonly events: EventRecorder;
  readonly changeTraces: ChangeTraces;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
};

/** Changes that come together are decided together. */
const ROUND_SPACING_MS = 20;
/** After a round nothing is decided for this many times as long as it took: however large the fleet, acts have room beside it. */
const SPACING_PER_ROUND = 3;
/** Statuses speak of time that passes (a stall), so the fleet is looked at this often even when nothing changes. */
const ROUND_INTERVAL_MS = 1_000;
/** What bounds a cold start: writes under way at once follow the pace of the API server, whatever that is. */
const ACT_CONCURRENCY = 16;
/** What bounds a mistake of ours. */
const ACTS_PER_SECOND = 1_000;

/** One for all rounds: nobody reads it, and an error is dear to make. */
const PAUSE_OVER = new Error("the pause is over");

type Latest = { readonly view: CityView; readonly decision: Decision };

export class Controller {
  readonly #dependencies: ControllerDependencies;
  #wake = Promise.withResolvers<void>();
  #latest = new Map<string, Latest>();
  /** Of the round that `#latest` is from. */
  #latestRound: RoundTimes = { startedMs: 0, decidedMs: 0 };
  readonly #sheds: TokenBucket;
  readonly #takeovers: TokenBucket;
  readonly #history: HistoryGuard;
  readonly #indicators: Indicators;
  #lastRoundMs: number | undefined;

  constructor(dependencies: ControllerDependencies) {
    this.#dependencies = dependencies;
    const { clock } = dependencies;
    this.#sheds = createTokenBucket({ clock, perSecond: SHEDS_PER_SECOND, burst: SHED_BURST });
    this.#takeovers = createTokenBucket({
      clock,
      perSecond: TAKEOVERS_PER_SECOND,
      burst: TAKEOVERS_PER_SECOND,
    });
    this.#history = createHistoryGuard(dependencies);
    this.#indicators = createIndicators(dependencies);
  }

  /** Something changed: have a look soon. */
  poke(): void {
    this.#wake.resolve();
  }

  /** Milliseconds since the fleet was last looked at; 0 before the first time. */
  silenceMs(): number {
    return this.#lastRoundMs === undefined ? 0 : this.#dependencies.clock.monotonicMs() - this.#lastRoundMs;
  }

  /** Decides and acts until the signal aborts. Rejects only for a mistake of our own. */
  async lead(signal: AbortSignal): Promise<void> {
    const { fleet, clock, random, log, statusWriter, statuses } = this.#dependencies;
    this.#lastRoundMs = undefined;
    // Another replica may have written statuses since we led.
    statuses.forgetAll();
    await fleet.waitSynced(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const queue = createWorkQueue({
      clock,
      random,
      log,
      ratePerSecond: ACTS_PER_SECOND,
      burst: ACTS_PER_SECOND,
      backoff: { firstMs: 5, maxMs: 5_000 },
    });
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, ending.signal]);
    try {
      await waitForParts(
        {
          acts: queue.run(
            { concurrency: ACT_CONCURRENCY, process: (city, limited) => this.#process(city, limited) },
            ended,
          ),
          statuses: statusWriter.run(ended, () => queue.length > 0),
          rounds: this.#rounds((city) => queue.add(city), ended),
        },
        { clock, log, signal: ended },
      );
    } finally {
      ending.abort();
      this.#indicators.rest();
    }
  }

  async #rounds(enqueue: (city: string) => void, signal: AbortSignal): Promise<void> {
    const { clock, fleet, metrics } = this.#dependencies;
    // Questions to the API server that a round raised, and whose answers the next ones wait for.
    const asking = new Set<Promise<void>>();
    const ask = (question: Promise<boolean>): void => {
      const answered = question.then((isAnswered) => {
        if (isAnswered) this.poke();
      });
      asking.add(answered);
      void answered.finally(() => asking.delete(answered)).catch(() => undefined);
    };
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      this.#lastRoundMs = startedMs;
      const { view, suspects, lookAgainInMs } = this.#round(enqueue);
      const decidedMs = clock.monotonicMs();
      this.#latestRound = { startedMs, decidedMs };
      const tookMs = decidedMs - startedMs;
      metrics.decideDuration(tookMs / 1_000);
      for (const worker of suspects) ask(fleet.confirmWorker(worker, signal).then(() => true));
      if (view.cities.some((city) => isBehindFence(city, view))) ask(this.#history.inspect(view, signal));
      await clock
        .sleep(Math.max(ROUND_SPACING_MS, SPACING_PER_ROUND * tookMs), signal)
        .catch(() => undefined);
      const pause = childOf(signal);
      await Promise.race([
        abortable(this.#wake.promise, pause.signal).catch(() => undefined),
        clock.sleep(Math.min(ROUND_INTERVAL_MS, lookAgainInMs), pause.signal).catch(() => undefined),
        // A mistake of ours in one of them must end the process, not hide in the background.
        ...asking,
      ]);
      pause.abort(PAUSE_OVER);
      pause.release();
      this.#wake = Promise.withResolvers<void>();
    }
    await Promise.all(asking);
  }

  #round(enqueue: (city: string) => void): {
    readonly view: FleetView;
    readonly suspects: readonly string[];
    readonly lookAgainInMs: number;
  } {
    const { fleet, authority, statuses } = this.#dependencies;
    const {
      fleet: view,
      suspects,
      lookAgainInMs,
    } = fleet.view({
      authority: authority.view(),
      shedBudget: this.#sheds.available(),
      takeoverBudget: this.#takeovers.available(),
    });
    const decisions = placeCities(view);
    const latest = new Map<string, Latest>();
    for (const city of view.cities) {
      const decision = decisions.get(city.name) ?? { kind: "keep" };
      latest.set(city.name, { view: city, decision });
      if (decision.kind !== "keep" && decision.kind !== "wait") enqueue(city.name);
      statuses.describe(city, decision, view);
    }
    this.#latest = latest;
    this.#indicators.observe(view, decisions);
    return { view, suspects, lookAgainInMs };
  }

  async #process(city: string, signal: AbortSignal): Promise<"done"> {
    const { fleet, clock, metrics, changeTraces } = this.#dependencies;
    const latest = this.#latest.get(city);
    if (latest === undefined) return "done";
    const lease = fleet.leaseOf(city);
    // Decided on another Lease than the one there is now: the next round decides anew.
    if (lease?.metadata.resourceVersion !== latest.view.lease?.token.toString()) {
      this.poke();
      return "done";
    }
    const startedMs = clock.monotonicMs();
    const trace = changeTraces.begin(latest, this.#latestRound);
    try {
      const { traceparent } = trace;
      const done = await act(this.#dependencies, { ...latest, lease, traceparent }, signal);
      trace.done(done);
      this.#remember(latest, done, traceparent);
    } catch (error) {
      trace.failed(error);
      const isConflict = isOperational(error) && error.remedy === "refresh";
      metrics.acts(isConflict ? "conflict" : "failed");
      if (isConflict) await fleet.refresh(city, signal);
      throw error;
    } finally {
      metrics.actDuration((clock.monotonicMs() - startedMs) / 1_000);
      this.poke();
    }
    return "done";
  }

  #remember({ view, decision }: Latest, done: Done, traceparent: string | undefined): void {
    const { fleet, log, metrics } = this.#dependencies;
    if (done.kind !== "nothing") metrics.acts(done.kind);
    const fields = { city: view.name, decision: decision.kind };
    switch (done.kind) {
      case "nothing":
      case "adopted":
        return;
      case "assigned": {
        const { worker, token } = done.assignment;
        const because = decision.kind === "assign" ? decision.because : "new-city";
        fleet.wrote(view.name, done.lease, because !== "spec-changed");
        if (because === "balance") this.#sheds.take();
        if (because === "stalled" && view.lease?.worker !== undefined) fleet.failed(view.lease.worker);
        if (because === "holder-gone") this.#takeovers.take();
        metrics.assignments(because);
        this.#indicators.assigned(view.name, token, because);
        const traced = traceFieldOf(traceparent);
        log.info({ ...fields, worker, token: String(token), because, ...traced }, "city assigned");
        const from = done.isMove ? ` from ${view.lease?.worker}` : "";
        this.#record(
          view,
          done.isMove ? "Moved" : "Assigned",
          `to ${worker}${from} with token ${token}: ${because}`,
        );
        return;
      }
      case "unassigned":
        fleet.wrote(view.name, done.lease, true);
        log.info({ ...fields, token: done.lease.metadata.resourceVersion }, "city unassigned");
        return;
      case "sealed":
        fleet.sealed(view.name, done);
        log.info({ ...fields, token: String(done.token) }, "city sealed");
        this.#record(
          view,
          "Sealed",
          `with token ${done.token}: nothing more is committed until it is assigned again`,
        );
        return;
      case "removed":
        log.info(fields, "city removed");
        return;
      default:
        done satisfies never;
    }
  }

  #record(view: CityView, reason: string, note: string): void {
    const { name, namespace, uid } = view.city.metadata;
    this.#dependencies.events.record({
      regarding: {
        apiVersion: CITY_API_VERSION,
        kind: "City",
        name,
        namespace: namespace ?? "default",
        uid: uid ?? "",
      },
      reason,
      action: reason,
      note,
      type: "Normal",
    });
  }
}
