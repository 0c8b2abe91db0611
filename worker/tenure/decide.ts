import { DEFAULT_DISPATCHER, type TaskSpec } from "../../crds/city.ts";
import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";
import type { CitySnapshot } from "../../db/snapshot.ts";
import { isOperational } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { DispatchPool } from "../dispatch-pool/dispatch-pool.ts";
import type { DispatchAnswer } from "../dispatch-pool/protocol.ts";
import { isRecorded } from "../records/record.ts";
import type { WorkerMetrics } from "../metrics.ts";
import {
  chainOf,
  dispatchersFor,
  fallbackAfter,
  isDangerous,
  type Conduct,
  type Fallback,
} from "./fallback.ts";
import { dispatchParametersOf, dispatchSnapshotOf } from "./inputs.ts";

export type DecideDependencies = {
  readonly dispatchPool: DispatchPool;
  /** For the cities that did harm to their thread. */
  readonly isolationPool: DispatchPool;
  /** Cities whose own dispatcher failed, and who stands in for it. */
  readonly fallbacks: Map<string, Fallback>;
  readonly metrics: WorkerMetrics;
  /** Of this worker, for records. */
  readonly version: string;
  readonly log: Log;
};

export type DecideInput = {
  readonly city: string;
  readonly task: TaskSpec;
  /** Whether the dispatch runs apart from those of other cities. */
  readonly isIsolated: boolean;
  readonly deadlineMs: number;
  /** The number that the tick will have. */
  readonly tick: bigint;
};

/** The decisions for the snapshot, of the City's own dispatcher or of who stands in for it. Errors: those of DispatchPool. */
export async function decide(
  dependencies: DecideDependencies,
  input: DecideInput,
  snapshot: CitySnapshot,
  signal: AbortSignal,
): Promise<DispatchAnswer> {
  const { city, task } = input;
  const fallback = fallbackOf(dependencies, input);
  const chain = chainOf(dispatcherOf(task));
  const isApart = input.isIsolated || isDangerous(fallback);
  const pool = isApart ? dependencies.isolationPool : dependencies.dispatchPool;
  const question = {
    dispatchers: dispatchersFor(fallback, chain),
    parameters: dispatchParametersOf(task),
    own: task.dispatcherParameters ?? {},
    record: isRecorded(input.tick, task.recordPercent ?? 0)
      ? { city, tick: String(input.tick), version: dependencies.version }
      : undefined,
  };
  try {
    const answer = await pool.run(dispatchSnapshotOf(snapshot), question, input.deadlineMs, signal);
    tell(dependencies, city, answer);
    learn(dependencies, input, { by: answer.by, failure: answer.failures[0]?.because });
    return answer;
  } catch (error) {
    const failure = harmOf(error);
    if (failure !== undefined) learn(dependencies, input, { by: undefined, failure });
    throw error;
  }
}

function tell({ log, metrics }: DecideDependencies, city: string, answer: DispatchAnswer): void {
  for (const { dispatcher, because, message } of answer.failures) {
    metrics.dispatcherFailures(because);
    log.error({ city, dispatcher, because, err: message }, "dispatcher failed");
  }
  for (const { decision, because } of answer.refused) {
    metrics.refusedDecisions(because);
    log.error({ city, dispatcher: answer.by, decision, because }, "decision refused by the validator");
  }
}

/** Takes note of who decided, for the next tick. */
function learn(
  dependencies: DecideDependencies,
  input: DecideInput,
  conduct: Pick<Conduct, "by" | "failure">,
): void {
  const { fallbacks, metrics, log } = dependencies;
  const { city, task } = input;
  const before = fallbackOf(dependencies, input);
  const chain = chainOf(dispatcherOf(task));
  const after = fallbackAfter(before, { ...conduct, of: attemptOf(task), chain });
  if (after === undefined) fallbacks.delete(city);
  else fallbacks.set(city, after);
  metrics.standIns(fallbacks.size);
  if (conduct.by === undefined && conduct.failure !== undefined) {
    const [dispatcher] = dispatchersFor(before, chain);
    metrics.dispatcherFailures(conduct.failure);
    log.error({ city, dispatcher, because: conduct.failure }, "dispatcher failed");
  }
  if (after?.rank === before?.rank && after?.failures === before?.failures) return;
  if (after === undefined) log.info({ city, dispatcher: chain[0] }, "dispatcher decides again");
  else log.warn({ city, dispatcher: chain[after.rank], because: after.because }, "dispatcher stands in");
}

/** Of an earlier specification of the City it would be no news. */
export function fallbackOf(
  { fallbacks }: Pick<DecideDependencies, "fallbacks">,
  { city, task }: Pick<DecideInput, "city" | "task">,
): Fallback | undefined {
  const fallback = fallbacks.get(city);
  return fallback?.of === attemptOf(task) ? fallback : undefined;
}

function attemptOf(task: TaskSpec): string {
  return `${task.generation} ${dispatcherOf(task)}`;
}

function dispatcherOf(task: TaskSpec): string {
  return task.dispatcher ?? DEFAULT_DISPATCHER;
}

function harmOf(error: unknown): DispatcherFailure | undefined {
  if (isOperational(error, "dispatch-overrun")) return "overran";
  return isOperational(error, "dispatch-crashed") ? "crashed" : undefined;
}

/** Whether somebody else decides the next tick if the dispatcher whose turn it is does harm. */
export function hasStandInFor(
  dependencies: Pick<DecideDependencies, "fallbacks">,
  input: Pick<DecideInput, "city" | "task">,
): boolean {
  return dispatchersFor(fallbackOf(dependencies, input), chainOf(dispatcherOf(input.task))).length > 1;
}
