import type { TaskSpec } from "../../crds/city.ts";
import type { FencingToken } from "../../crds/token.ts";
import type { DroppedDecision, Fence } from "../../db/fence.ts";
import type { CitySnapshot } from "../../db/snapshot.ts";
import { withDeadline } from "../../runtime/abort.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import { timed } from "../../runtime/measure.ts";
import { spanned, traceFieldOf, type Span } from "../../runtime/tracing/span.ts";
import { HARD_DEADLINE_FACTOR } from "../dispatch-pool/dispatch-pool.ts";
import type { DispatchAnswer } from "../dispatch-pool/protocol.ts";
import type { DatabaseClock } from "../database-clock.ts";
import type { Keeper } from "../story/keeper.ts";
import { decide, fallbackOf, type DecideDependencies } from "./decide.ts";
import { tickLimits, type TickLimits } from "./grid.ts";
import { traceThread } from "./trace.ts";
import type { TenureEvent } from "./transition.ts";
import { waitingAfter, type WaitingOrders } from "./waiting-orders.ts";

export type TickDependencies = DecideDependencies & {
  readonly clock: Clock;
  readonly databaseClock: DatabaseClock;
  readonly fence: Fence;
  readonly readSnapshot: (city: string, signal: AbortSignal) => Promise<CitySnapshot>;
  readonly newCommitId: () => string;
  readonly keeper: Pick<Keeper, "keep">;
  /** What each city's last committed tick left to nobody. */
  readonly waitingOrders: WaitingOrders;
  /** Told after every exchange with the database. */
  readonly onDatabase: (isReachable: boolean) => void;
};

export type TickInput = {
  readonly city: string;
  readonly epoch: bigint;
  readonly token: FencingToken;
  readonly lastTick: bigint;
  /** Undefined when the city has never ticked. */
  readonly lastCommitId: string | undefined;
  readonly slotMs: number;
  readonly periodMs: number;
  readonly task: TaskSpec;
  /** Whether the dispatch runs apart from those of other cities. */
  readonly isIsolated: boolean;
  /** Of this tick; whoever began it ends it. */
  readonly span: Span;
};

/** Of a tick's time, what is kept for the commit. */
const COMMIT_SHARE = 0.1;

/** What one tick can come to; each is an event of the tenure. */
export type TickOutcome = Extract<
  TenureEvent,
  { readonly kind: "committed" | "missed" | "reload" | "outpaced" | "unknown" | "fenced" }
>;

/**
 * One pass of the dispatch loop: snapshot, decide, commit, within the hard deadline of the period. Never throws for what
 * the outside world does; `signal` gives the tick up where it stands.
 */
export async function runTick(
  dependencies: TickDependencies,
  input: TickInput,
  signal: AbortSignal,
): Promise<TickOutcome> {
  const limits = tickLimits(input.periodMs);
  const { clock, metrics } = dependencies;
  const startedAtMs = clock.monotonicMs();
  const staged = async <Result>(
    stage: "snapshot" | "decide" | "commit",
    work: (span: Span) => Promise<Result>,
  ): Promise<Result> => {
    const span = input.span.child(stage);
    const measured = (): Promise<Result> =>
      timed(
        clock,
        (seconds) => metrics.stageDuration(stage, seconds),
        () => work(span),
      );
    return spanned(span, measured, codeOf);
  };
  return withDeadline({ clock, what: "the tick", limitMs: limits.tickMs, signal }, async (tickSignal) => {
    try {
      const snapshot = await staged("snapshot", () =>
        readSnapshotTimed(dependencies, input.city, tickSignal),
      );
      if (snapshot.epoch !== input.epoch || snapshot.token !== input.token) return { kind: "fenced" };
      if (snapshot.tick !== input.lastTick || snapshot.commitId !== input.lastCommitId) {
        return { kind: "reload" };
      }
      const deadlineMs = dispatchDeadlineMs(limits, clock.monotonicMs() - startedAtMs);
      const question = { ...input, deadlineMs, tick: input.lastTick + 1n };
      const answer = await staged("decide", async (span) => {
        const decided = await decide(dependencies, question, snapshot, tickSignal);
        traceThread(span, decided, clock.monotonicMs());
        return decided;
      });
      return await staged("commit", () => commit(dependencies, input, snapshot, answer, tickSignal));
    } catch (error) {
      // Whatever throws here surely changed nothing: a commit that may have gone through is an outcome, not an error.
      if (!isOperational(error) && !tickSignal.aborted) throw error;
      const because = codeOf(error);
      if (because.startsWith("database-")) dependencies.onDatabase(false);
      const traced = traceFieldOf(input.span.traceparent);
      dependencies.log.warn(
        { city: input.city, slot: input.slotMs, because, err: error, ...traced },
        "tick missed",
      );
      return { kind: "missed", because };
    }
  });
}

/** Of what ends a stage: whatever is no error of the outside world is the signal's. */
function codeOf(error: unknown): string {
  return isOperational(error) ? error.code : "aborted";
}

/**
 * Less after a slow read, so that a runaway dispatch meets its own hard deadline before that of the tick: what it did is
 * known by the error, and a city that does harm is told from one whose database is slow.
 */
function dispatchDeadlineMs(limits: TickLimits, sinceStartMs: number): number {
  const hardDeadlineMs = limits.tickMs * (1 - COMMIT_SHARE) - sinceStartMs;
  return Math.max(1, Math.min(limits.dispatchMs, hardDeadlineMs / HARD_DEADLINE_FACTOR));
}

async function readSnapshotTimed(
  { clock, databaseClock, readSnapshot, onDatabase }: TickDependencies,
  city: string,
  signal: AbortSignal,
): Promise<CitySnapshot> {
  const sentAtMs = clock.monotonicMs();
  const snapshot = await readSnapshot(city, signal);
  databaseClock.observe({
    databaseTimeMs: snapshot.databaseTimeMs,
    sentAtMs,
    receivedAtMs: clock.monotonicMs(),
  });
  onDatabase(true);
  return snapshot;
}

async function commit(
  dependencies: TickDependencies,
  input: TickInput,
  snapshot: CitySnapshot,
  answer: DispatchAnswer,
  signal: AbortSignal,
): Promise<TickOutcome> {
  const { fence, fallbacks, keeper, newCommitId, onDatabase, log } = dependencies;
  const tick = input.lastTick + 1n;
  const commitId = newCommitId();
  const traced = traceFieldOf(input.span.traceparent);
  const fields = { city: input.city, tick: String(tick), commitId, ...traced };
  if (input.span.isRecorded) {
    input.span.set({
      "dispatch.tick": String(tick),
      "dispatch.orders": snapshot.orders.length,
      "dispatch.couriers": snapshot.couriers.length,
      "dispatch.decisions": answer.decisions.length,
      "dispatch.degraded": answer.degraded || snapshot.isCut,
    });
  }
  const outcome = await fence.commit(
    {
      city: input.city,
      epoch: input.epoch,
      token: input.token,
      tick,
      commitId,
      previousCommitId: input.lastCommitId,
      slotMs: input.slotMs,
      periodMs: input.periodMs,
      snapshotTick: snapshot.tick,
      degraded: answer.degraded || snapshot.isCut,
      dispatcherFailure: fallbackOf({ fallbacks }, input)?.because,
      decisions: answer.decisions,
    },
    signal,
  );
  switch (outcome.kind) {
    case "committed":
      count(dependencies, input, { snapshot, answer, dropped: outcome.dropped });
      log.debug(
        { ...fields, slot: input.slotMs, count: answer.decisions.length - outcome.dropped.length },
        "tick committed",
      );
      // Of a city at rest there is nothing to tell.
      if (snapshot.orders.length > 0 && answer.explanations.length > 0) {
        const { by: dispatcher, leftOut, explanations, record } = answer;
        keeper.keep({ city: input.city, tick, commitId, dispatcher, leftOut, explanations, record });
      }
      return { kind: "committed", tick, slotMs: input.slotMs, commitId };
    case "fenced":
      log.info(fields, "tick fenced");
      return { kind: "fenced" };
    case "outpaced":
      log.info(fields, "tick outpaced");
      return { kind: "outpaced" };
    case "unknown":
      onDatabase(false);
      log.warn({ ...fields, err: outcome.cause }, "commit outcome stayed unknown");
      return { kind: "unknown" };
    default:
      return outcome satisfies never;
  }
}

/** Of a tick that is in. */
function count(
  { metrics, waitingOrders }: TickDependencies,
  { city, task }: TickInput,
  {
    snapshot,
    answer,
    dropped,
  }: {
    readonly snapshot: CitySnapshot;
    readonly answer: DispatchAnswer;
    readonly dropped: readonly DroppedDecision[];
  },
): void {
  metrics.decisions("applied", answer.decisions.length - dropped.length);
  metrics.decisions("dropped", dropped.length);
  if (answer.degraded) metrics.degradedTicks("deadline");
  if (snapshot.isCut) metrics.degradedTicks("cut-snapshot");
  const given = new Set(answer.decisions.map(({ order }) => order));
  for (const { order } of dropped) given.delete(order);
  waitingOrders.set(city, waitingAfter(snapshot, given, task));
}
