import { createDatabaseMetrics } from "../db/metrics.ts";
import { createApiMetrics } from "../runtime/kube/metrics.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { ASSIGN_REASONS, WAIT_REASONS } from "./cities/place.ts";
import { CITY_STATES, HANDOFF_REASONS, TAKEOVER_REASONS } from "./indicators/judge.ts";
import { LIVENESS } from "./workers/roster.ts";

const ACTS = ["adopted", "assigned", "unassigned", "sealed", "removed", "conflict", "failed"] as const;
/** See `operator/cities/brake.ts`. */
export const BRAKES = ["most-stalled", "most-lost"] as const;
export type Brakes = Readonly<Record<(typeof BRAKES)[number], boolean>>;

const GAP_BUCKETS_SECONDS = [0.05, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 20, 30, 60, 120];

export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>;

export function createOperatorMetrics(metrics: Metrics) {
  return {
    ...workDone(metrics),
    ...fleetAsSeen(metrics),
    ...serviceLevel(metrics),
    database: createDatabaseMetrics(metrics, "operator"),
    api: createApiMetrics(metrics, "operator"),
  };
}

function workDone(metrics: Metrics) {
  return {
    leading: metrics.gauge({
      name: "dispatch_operator_leading",
      unit: "boolean",
      help: "1 while this replica leads.",
    }),
    assignments: metrics.countBy(
      { name: "dispatch_operator_assignments_total", unit: "Leases", help: "Assignments written, by cause." },
      "because",
      ASSIGN_REASONS,
    ),
    acts: metrics.countBy(
      { name: "dispatch_operator_acts_total", unit: "decisions", help: "Decisions carried out, by result." },
      "result",
      ACTS,
    ),
    actDuration: metrics.histogram(
      {
        name: "dispatch_operator_act_duration_seconds",
        unit: "seconds",
        help: "Time to carry out one decision: the Lease, the seal, the finalizer.",
      },
      [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
    decideDuration: metrics.histogram(
      {
        name: "dispatch_operator_decide_duration_seconds",
        unit: "seconds",
        help: "Time to gather and decide for the whole fleet.",
      },
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    ),
    epochRaised: metrics.counter({
      name: "dispatch_operator_epoch_raised_total",
      unit: "times",
      help: "Times that the epoch was raised because the cluster's resourceVersions had gone back.",
    }),
  };
}

function fleetAsSeen(metrics: Metrics) {
  return {
    cities: metrics.gaugeBy(
      {
        name: "dispatch_operator_cities",
        unit: "Cities",
        help: "Cities by state, on the leader: late has no commit for two periods, stalled none for stallAfterTicks of the present assignment.",
      },
      "state",
      CITY_STATES,
    ),
    workers: metrics.gaugeBy(
      { name: "dispatch_operator_workers", unit: "workers", help: "Workers by liveness, on the leader." },
      "liveness",
      LIVENESS,
    ),
    waitingCities: metrics.gaugeBy(
      {
        name: "dispatch_operator_waiting_cities",
        unit: "Cities",
        help: "Cities for which something should be done that must wait, by cause, on the leader.",
      },
      "because",
      WAIT_REASONS,
    ),
    brake: metrics.gaugeBy(
      {
        name: "dispatch_operator_brake",
        unit: "boolean",
        help: "1 while the brake holds or slows moves, by what failed at once, on the leader.",
      },
      "brake",
      BRAKES,
    ),
    brakes: metrics.countBy(
      { name: "dispatch_operator_brakes_total", unit: "times", help: "Times that the brake took hold." },
      "brake",
      BRAKES,
    ),
    foreignAuthority: metrics.gauge({
      name: "dispatch_operator_foreign_authority",
      unit: "boolean",
      help: "1 while the database takes tokens from another cluster, on the leader.",
    }),
    databaseSilence: metrics.reading({
      name: "dispatch_operator_database_silence_seconds",
      unit: "seconds",
      help: "Time since MySQL last told this replica where the fences are, which it asks every second.",
    }),
  };
}

function serviceLevel(metrics: Metrics) {
  return {
    citySeconds: metrics.countBy(
      {
        name: "dispatch_operator_city_seconds_total",
        unit: "seconds",
        help: "Time of all Cities that are to tick, by whether the last commit was late (more than two periods and 2 s old), on the leader.",
      },
      "commit",
      ["on-time", "late"],
    ),
    committedTicks: metrics.counter({
      name: "dispatch_operator_committed_ticks_total",
      unit: "ticks",
      help: "Ticks that were committed, by the fences that the leader sees.",
    }),
    missedSlots: metrics.counter({
      name: "dispatch_operator_missed_slots_total",
      unit: "slots",
      help: "Slots between two committed ticks of a City that have no tick, counted when the later one is in, on the leader.",
    }),
    handoffGap: metrics.histogramBy(
      {
        name: "dispatch_operator_handoff_gap_beyond_period_seconds",
        unit: "seconds",
        help: "Planned moves, by cause: from the last commit under the former token to the first under the next one, less the period.",
      },
      { label: "because", values: HANDOFF_REASONS },
      GAP_BUCKETS_SECONDS,
    ),
    takeoverGap: metrics.histogramBy(
      {
        name: "dispatch_operator_takeover_gap_beyond_period_seconds",
        unit: "seconds",
        help: "Unplanned moves, by cause: from the last commit under the former token to the first under the next one, less the period.",
      },
      { label: "because", values: TAKEOVER_REASONS },
      GAP_BUCKETS_SECONDS,
    ),
    stalls: metrics.counter({
      name: "dispatch_operator_stalls_total",
      unit: "times",
      help: "Times that a City stalled.",
    }),
    cityCommitAge: metrics.readingsBy(
      {
        name: "dispatch_operator_city_commit_age_seconds",
        unit: "seconds",
        type: "gauge",
        help: "Time since the City's last commit, or since the leader first saw it; not for suspended ones. One series per City, on the leader, for at most 10,000.",
      },
      "city",
    ),
    cityMissedSlots: metrics.readingsBy(
      {
        name: "dispatch_operator_city_missed_slots_total",
        unit: "slots",
        type: "counter",
        help: "Slots of the City that have no tick, since this replica leads. One series per City, on the leader, for at most 10,000.",
      },
      "city",
    ),
    cityMoves: metrics.readingsBy(
      {
        name: "dispatch_operator_city_moves_total",
        unit: "moves",
        type: "counter",
        help: "Handoffs and takeovers of the City, since this replica leads. One series per City, on the leader, for at most 10,000.",
      },
      "city",
    ),
  };
}
