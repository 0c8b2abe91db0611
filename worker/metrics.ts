import { DISPATCHER_FAILURES } from "../db/dispatcher-failure.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { DECISION_REFUSALS } from "./dispatch/validate.ts";
import { KEEP_OUTCOMES } from "./story/keeper.ts";

const TICK_OUTCOMES = ["committed", "missed", "reload", "outpaced", "unknown", "fenced"] as const;
const CLAIM_OUTCOMES = ["claimed", "behind", "foreign", "failed"] as const;
const HEARTBEAT_OUTCOMES = ["written", "failed"] as const;

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics(metrics: Metrics) {
  return {
    ticks: metrics.countBy("dispatch_worker_ticks_total", "Ticks by outcome.", "outcome", TICK_OUTCOMES),
    claims: metrics.countBy("dispatch_worker_claims_total", "Claims by outcome.", "outcome", CLAIM_OUTCOMES),
    heartbeats: metrics.countBy(
      "dispatch_worker_heartbeats_total",
      "Heartbeats by outcome.",
      "outcome",
      HEARTBEAT_OUTCOMES,
    ),
    skippedSlots: metrics.countBy(
      "dispatch_worker_skipped_slots_total",
      "Slots that nobody ran, by cause: the tick before ran long, no holder was ticking, or the city rested after harm.",
      "because",
      ["overrun", "gap", "backed-off"],
    ),
    dispatcherFailures: metrics.countBy(
      "dispatch_worker_dispatcher_failures_total",
      "Times that a dispatcher failed and the next one was to decide, by cause.",
      "because",
      DISPATCHER_FAILURES,
    ),
    refusedDecisions: metrics.countBy(
      "dispatch_worker_refused_decisions_total",
      "Decisions that the validator refused, by cause.",
      "because",
      DECISION_REFUSALS,
    ),
    kept: metrics.countBy(
      "dispatch_worker_explanations_total",
      "Explanations of committed ticks, by what became of them.",
      "outcome",
      KEEP_OUTCOMES,
    ),
    standIns: metrics.gauge(
      "dispatch_worker_stand_in_cities",
      "Cities for which another dispatcher than their own decides, since theirs failed.",
    ),
    cities: metrics.gauge("dispatch_worker_cities", "Cities that this worker holds."),
    isolatedCities: metrics.gauge(
      "dispatch_worker_isolated_cities",
      "Cities whose dispatch runs apart, since it blocked, crashed or exhausted a thread.",
    ),
    lateness: metrics.histogram(
      "dispatch_worker_tick_lateness_seconds",
      "From the scheduled start of a slot to the start of its tick.",
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
    tickDuration: metrics.histogram(
      "dispatch_worker_tick_duration_seconds",
      "From the start of a tick to its outcome.",
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
  };
}
