import type { Metrics } from "../runtime/metrics.ts";
import { ASSIGN_REASONS } from "./cities/place.ts";

const ACTS = ["adopted", "assigned", "unassigned", "sealed", "removed", "conflict", "failed"] as const;

export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>;

export function createOperatorMetrics(metrics: Metrics) {
  return {
    assignments: metrics.countBy(
      "dispatch_operator_assignments_total",
      "Assignments written, by cause.",
      "because",
      ASSIGN_REASONS,
    ),
    acts: metrics.countBy(
      "dispatch_operator_acts_total",
      "Decisions carried out, by result.",
      "result",
      ACTS,
    ),
    epochRaised: metrics.counter(
      "dispatch_operator_epoch_raised_total",
      "Times that the epoch was raised because the cluster's resourceVersions had gone back.",
    ),
    leading: metrics.gauge("dispatch_operator_leading", "1 while this replica leads."),
    cities: metrics.gauge("dispatch_operator_cities", "Cities in the operator's view."),
    workers: metrics.gauge("dispatch_operator_workers", "Workers in the operator's view that are live."),
    decideDuration: metrics.histogram(
      "dispatch_operator_decide_duration_seconds",
      "Time to gather and decide for the whole fleet.",
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    ),
  };
}
