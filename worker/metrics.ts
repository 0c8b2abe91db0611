import { createDatabaseMetrics } from "../db/metrics.ts";
import { DISPATCHER_FAILURES } from "../db/dispatcher-failure.ts";
import { createApiMetrics } from "../runtime/kube/metrics.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { DECISION_REFUSALS } from "./dispatch/validate.ts";
import { KEEP_OUTCOMES } from "./story/keeper.ts";

const TICK_OUTCOMES = ["committed", "missed", "reload", "outpaced", "unknown", "fenced"] as const;
const CLAIM_OUTCOMES = ["claimed", "behind", "foreign", "failed"] as const;
const HEARTBEAT_OUTCOMES = ["written", "failed"] as const;
const TICK_STAGES = ["snapshot", "decide", "commit"] as const;
const MISS_CAUSES = ["database", "dispatch", "deadline", "aborted"] as const;
export type MissCause = (typeof MISS_CAUSES)[number];

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics(metrics: Metrics) {
  return {
    ...ticking(metrics),
    ...deciding(metrics),
    ...holding(metrics),
    database: createDatabaseMetrics(metrics, "worker"),
    api: createApiMetrics(metrics, "worker"),
  };
}

function ticking(metrics: Metrics) {
  return {
    ticks: metrics.countBy(
      { name: "dispatch_worker_ticks_total", unit: "ticks", help: "Ticks by outcome." },
      "outcome",
      TICK_OUTCOMES,
    ),
    missedTicks: metrics.countBy(
      {
        name: "dispatch_worker_missed_ticks_total",
        unit: "ticks",
        help: "Ticks that were given up before anything was sent, by what kept them.",
      },
      "because",
      MISS_CAUSES,
    ),
    skippedSlots: metrics.countBy(
      {
        name: "dispatch_worker_skipped_slots_total",
        unit: "slots",
        help: "Slots that nobody ran, by cause: the tick before ran long, no holder was ticking, or the city rested after harm.",
      },
      "because",
      ["overrun", "gap", "backed-off"],
    ),
    lateness: metrics.histogram(
      {
        name: "dispatch_worker_tick_lateness_seconds",
        unit: "seconds",
        help: "From the scheduled start of a slot to the start of its tick.",
      },
      BUCKETS_SECONDS,
    ),
    tickDuration: metrics.histogram(
      {
        name: "dispatch_worker_tick_duration_seconds",
        unit: "seconds",
        help: "From the start of a tick to its outcome.",
      },
      BUCKETS_SECONDS,
    ),
    stageDuration: metrics.histogramBy(
      {
        name: "dispatch_worker_tick_stage_duration_seconds",
        unit: "seconds",
        help: "Time of one stage of a tick, also where it failed.",
      },
      { label: "stage", values: TICK_STAGES },
      BUCKETS_SECONDS,
    ),
  };
}

function deciding(metrics: Metrics) {
  return {
    decisions: metrics.countBy(
      {
        name: "dispatch_worker_decisions_total",
        unit: "decisions",
        help: "Decisions of committed ticks: applied, or dropped since order or courier had changed meanwhile.",
      },
      "result",
      ["applied", "dropped"],
    ),
    degradedTicks: metrics.countBy(
      {
        name: "dispatch_worker_degraded_ticks_total",
        unit: "ticks",
        help: "Committed ticks that are not the best answer: the deadline came first, or the snapshot was cut.",
      },
      "because",
      ["deadline", "cut-snapshot"],
    ),
    dispatcherFailures: metrics.countBy(
      {
        name: "dispatch_worker_dispatcher_failures_total",
        unit: "times",
        help: "Times that a dispatcher failed and the next one was to decide, by cause.",
      },
      "because",
      DISPATCHER_FAILURES,
    ),
    refusedDecisions: metrics.countBy(
      {
        name: "dispatch_worker_refused_decisions_total",
        unit: "decisions",
        help: "Decisions that the validator refused, by cause.",
      },
      "because",
      DECISION_REFUSALS,
    ),
    kept: metrics.countBy(
      {
        name: "dispatch_worker_explanations_total",
        unit: "ticks",
        help: "Explanations of committed ticks, by what became of them.",
      },
      "outcome",
      KEEP_OUTCOMES,
    ),
    standIns: metrics.gauge({
      name: "dispatch_worker_stand_in_cities",
      unit: "Cities",
      help: "Cities for which another dispatcher than their own decides, since theirs failed.",
    }),
    unassignedOrders: metrics.reading({
      name: "dispatch_worker_unassigned_orders",
      unit: "orders",
      help: "Orders within the horizon that nobody had after the last tick, of the Cities that this worker holds.",
    }),
    oldestUnassignedOrder: metrics.reading({
      name: "dispatch_worker_oldest_unassigned_order_seconds",
      unit: "seconds",
      help: "Age of the oldest of them, counted from when it was placed or came within the horizon; 0 while there is none.",
    }),
  };
}

function holding(metrics: Metrics) {
  return {
    cities: metrics.gauge({
      name: "dispatch_worker_cities",
      unit: "Cities",
      help: "Cities that this worker holds.",
    }),
    isolatedCities: metrics.gauge({
      name: "dispatch_worker_isolated_cities",
      unit: "Cities",
      help: "Cities whose dispatch runs apart, since it blocked, crashed or exhausted a thread.",
    }),
    claims: metrics.countBy(
      { name: "dispatch_worker_claims_total", unit: "claims", help: "Claims by outcome." },
      "outcome",
      CLAIM_OUTCOMES,
    ),
    heartbeats: metrics.countBy(
      { name: "dispatch_worker_heartbeats_total", unit: "heartbeats", help: "Heartbeats by outcome." },
      "outcome",
      HEARTBEAT_OUTCOMES,
    ),
    heartbeatAge: metrics.reading({
      name: "dispatch_worker_heartbeat_age_seconds",
      unit: "seconds",
      help: "Time since the API server last took this worker's heartbeat, or since the worker started.",
    }),
  };
}
