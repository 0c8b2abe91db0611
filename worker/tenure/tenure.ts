import { periodMsOf, type TaskSpec } from "../../crds/city.ts";
import type { FencingToken } from "../../crds/token.ts";
import { withDeadline } from "../../runtime/abort.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Tracing } from "../../runtime/tracing/span.ts";
import type { MissCause } from "../metrics.ts";
import { hasStandInFor } from "./decide.ts";
import { gridOf, nextSlot, slotAt } from "./grid.ts";
import { isolationAfter, isolationAtStart, restMs, SHARED, type Isolation } from "./isolation.ts";
import { runTick, type TickDependencies } from "./tick.ts";
import { createTenureTrace, type TenureTrace } from "./trace.ts";
import { assigned, transition, type EndReason, type TenureEvent, type TenureState } from "./transition.ts";

export type TenureDependencies = TickDependencies & {
  readonly random: () => number;
  /** Identity of this worker. */
  readonly worker: string;
  /** What this worker knows of its cities' conduct; those that are isolated, also while their token changes. */
  readonly isolations: Map<string, Isolation>;
  readonly tracing: Tracing;
};

export type TenureInput = {
  readonly city: string;
  readonly token: FencingToken;
  readonly task: TaskSpec;
  /** Tenures of the city in a row that came to nothing, before this one. */
  readonly setbacks: number;
  /** Of the write that this follows; see Assignment. */
  readonly traceparent: string | undefined;
};

export type Tenure = {
  readonly city: string;
  readonly token: FencingToken;
  /** Ends the tenure after the tick in flight; nothing new is started. */
  stop(because: Exclude<EndReason, "fenced">): void;
  /** Gives up the tick in flight as well. */
  abort(): void;
  readonly ended: Promise<EndReason>;
};

const CLAIM_LIMIT_MS = 5_000;
const CLAIM_BACKOFF = { firstMs: 100, maxMs: 2_000 };
/** A foreign authority changes only when a person orders it. */
const FOREIGN_BACKOFF = { firstMs: 1_000, maxMs: 10_000 };
const MISSED_BACKOFF = { firstMs: 100, maxMs: 1_000 };

/** Starts the hold of this worker on `city` under `token`. `ended` rejects only for a mistake of our own. */
export function startTenure(dependencies: TenureDependencies, input: TenureInput): Tenure {
  const stopping = new AbortController();
  const aborting = new AbortController();
  let stopReason: Exclude<EndReason, "fenced"> = "stopping";
  return {
    city: input.city,
    token: input.token,
    stop(because) {
      stopReason = because;
      stopping.abort();
    },
    abort() {
      stopping.abort();
      aborting.abort(new Error("the tenure was aborted"));
    },
    ended: runTenure(dependencies, input, {
      trace: createTenureTrace(dependencies.tracing, input, dependencies.worker),
      stopping: stopping.signal,
      aborting: aborting.signal,
      stopReason: () => stopReason,
    }),
  };
}

type Control = {
  readonly trace: TenureTrace;
  readonly stopping: AbortSignal;
  readonly aborting: AbortSignal;
  readonly stopReason: () => Exclude<EndReason, "fenced">;
};

async function runTenure(
  dependencies: TenureDependencies,
  input: TenureInput,
  control: Control,
): Promise<EndReason> {
  const { log } = dependencies;
  const fields = { city: input.city, token: String(input.token) };
  let state: TenureState = assigned;
  const known = dependencies.isolations.get(input.city);
  learn(dependencies, input.city, isolationAtStart(known, input.setbacks), "setbacks");
  while (state.kind !== "ended") {
    const event: TenureEvent = control.stopping.aborted
      ? { kind: control.stopReason() }
      : state.kind === "claiming"
        ? await claimTraced(dependencies, input, state, control)
        : await tickAtNextSlot(dependencies, input, state, control);
    const next = transition(state, event);
    if (next.kind !== state.kind) {
      log.info(
        {
          ...fields,
          because: event.kind,
          ...(next.kind === "ticking" ? { tick: String(next.lastTick) } : {}),
        },
        next.kind === "ticking" ? "city claimed" : next.kind === "ended" ? "tenure ended" : "claiming again",
      );
    }
    state = next;
  }
  dependencies.waitingOrders.delete(input.city);
  control.trace.ended(state.because);
  return state.because;
}

async function claimTraced(
  dependencies: TenureDependencies,
  input: TenureInput,
  state: Extract<TenureState, { readonly kind: "claiming" }>,
  control: Control,
): Promise<TenureEvent> {
  const span = control.trace.claim(state.attempt);
  const event = await claim(dependencies, input, state, control);
  control.trace.happened(span, event);
  return event;
}

async function claim(
  dependencies: TenureDependencies,
  input: TenureInput,
  state: Extract<TenureState, { readonly kind: "claiming" }>,
  control: Control,
): Promise<TenureEvent> {
  const { clock, fence, databaseClock, metrics, log, random } = dependencies;
  if (state.attempt > 0) {
    const limits = state.because === "foreign" ? FOREIGN_BACKOFF : CLAIM_BACKOFF;
    const isStopped = await sleepUnless(
      dependencies,
      backoffMs(limits, state.attempt - 1, random),
      control.stopping,
    );
    if (isStopped) return { kind: control.stopReason() };
  }
  const sentAtMs = clock.monotonicMs();
  try {
    const outcome = await withDeadline(
      { clock, what: "the claim", limitMs: CLAIM_LIMIT_MS, signal: control.stopping },
      (signal) =>
        fence.claim(
          {
            city: input.city,
            clusterUid: input.task.clusterUid,
            // A Lease without one was written before Leases had epochs; it is about to be written anew.
            epoch: BigInt(input.task.epoch ?? 0),
            token: input.token,
            holder: dependencies.worker,
          },
          signal,
        ),
    );
    dependencies.onDatabase(true);
    metrics.claims(outcome.kind);
    if (outcome.kind === "claimed") {
      databaseClock.observe({
        databaseTimeMs: outcome.databaseTimeMs,
        sentAtMs,
        receivedAtMs: clock.monotonicMs(),
      });
    }
    return outcome;
  } catch (error) {
    // A claim that was given up may have raised the fence all the same: it only keeps out those before us.
    if (control.stopping.aborted) return { kind: control.stopReason() };
    if (!isOperational(error)) throw error;
    dependencies.onDatabase(false);
    metrics.claims("failed");
    log.warn(
      { city: input.city, token: String(input.token), attempt: state.attempt, err: error },
      "claim failed",
    );
    return { kind: "claim-failed" };
  }
}

async function tickAtNextSlot(
  dependencies: TenureDependencies,
  input: TenureInput,
  state: Extract<TenureState, { readonly kind: "ticking" }>,
  control: Control,
): Promise<TenureEvent> {
  const { clock, databaseClock, metrics, random } = dependencies;
  const periodMs = periodMsOf(input.task);
  const grid = gridOf(input.city, periodMs);
  const isolation = isolationOf(dependencies, input.city);
  const hasStandIn = hasStandInFor(dependencies, input);
  const rest = restMs(isolation, periodMs);
  if (rest > 0) {
    const triedMs = slotAt(grid, databaseClock.nowMs());
    if (await sleepUnless(dependencies, rest, control.stopping)) return { kind: control.stopReason() };
    metrics.skippedSlots("backed-off", nextSlot(grid, databaseClock.nowMs(), triedMs).skipped);
  } else if (state.missed > 0) {
    const limits = { ...MISSED_BACKOFF, maxMs: Math.min(MISSED_BACKOFF.maxMs, periodMs) };
    const isStopped = await sleepUnless(
      dependencies,
      backoffMs(limits, state.missed - 1, random),
      control.stopping,
    );
    if (isStopped) return { kind: control.stopReason() };
  }
  const { slotMs, startsInMs, skipped } = nextSlot(grid, databaseClock.nowMs(), state.lastSlotMs);
  if (startsInMs > 0 && (await sleepUnless(dependencies, startsInMs, control.stopping))) {
    return { kind: control.stopReason() };
  }
  const latenessMs = Math.max(0, databaseClock.nowMs() - slotMs);
  metrics.lateness(latenessMs / 1_000);
  const startedAtMs = clock.monotonicMs();
  const span = control.trace.tick(
    { "dispatch.slot_ms": slotMs, "dispatch.lateness_ms": latenessMs },
    startedAtMs,
  );
  const outcome = await runTick(
    dependencies,
    {
      city: input.city,
      epoch: state.epoch,
      token: input.token,
      lastTick: state.lastTick,
      lastCommitId: state.lastCommitId,
      slotMs,
      periodMs,
      task: input.task,
      isIsolated: isolation.kind === "isolated",
      span,
    },
    control.aborting,
  );
  metrics.tickDuration((clock.monotonicMs() - startedAtMs) / 1_000);
  metrics.ticks(outcome.kind);
  control.trace.happened(span, outcome);
  if (outcome.kind === "missed") metrics.missedTicks(missCauseOf(outcome.because));
  learn(dependencies, input.city, isolationAfter(isolation, outcome, hasStandIn), "harm");
  // Those that it rested were counted when it had.
  if (outcome.kind === "committed" && rest === 0) {
    metrics.skippedSlots(state.missed > 0 ? "gap" : "overrun", skipped);
  }
  return outcome;
}

/** `because`: the code of an error, see TenureEvent. */
function missCauseOf(because: string): MissCause {
  if (because.startsWith("database-")) return "database";
  if (because.startsWith("dispatch-")) return "dispatch";
  return because === "deadline-exceeded" ? "deadline" : "aborted";
}

function isolationOf({ isolations }: TenureDependencies, city: string): Isolation {
  return isolations.get(city) ?? SHARED;
}

/** `because`: what speaks against the city where this isolates it. */
function learn(
  dependencies: TenureDependencies,
  city: string,
  isolation: Isolation,
  because: "harm" | "setbacks",
): void {
  const { isolations, metrics, log } = dependencies;
  const before = isolationOf(dependencies, city);
  if (isolation.kind === "isolated") isolations.set(city, isolation);
  else isolations.delete(city);
  metrics.isolatedCities(isolations.size);
  if (isolation.kind === before.kind) return;
  if (isolation.kind === "shared") log.info({ city }, "city back among the others");
  else log.warn({ city, because }, "city isolated");
}

/** Waits; true when the tenure was told to stop meanwhile. */
async function sleepUnless(
  { clock }: TenureDependencies,
  durationMs: number,
  stopping: AbortSignal,
): Promise<boolean> {
  try {
    await clock.sleep(durationMs, stopping);
    return false;
  } catch (error) {
    if (stopping.aborted) return true;
    throw error;
  }
}
