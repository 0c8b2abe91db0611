import { metricsTable } from "./metrics-table.ts";

/** The files about monitoring that are made from the code. Paths are relative to the repository. */

export const METRICS_TABLE = "docs/metrics.md";

export function deriveMonitoring(): ReadonlyMap<string, string> {
  return new Map([[METRICS_TABLE, metricsTable()]]);
}
