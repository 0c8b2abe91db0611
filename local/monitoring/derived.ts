import { join } from "node:path";
import { city } from "./dashboards/city.ts";
import { grafanaJson, type Dashboard } from "./dashboards/dashboard.ts";
import { database } from "./dashboards/database.ts";
import { fleet } from "./dashboards/fleet.ts";
import { worker } from "./dashboards/worker.ts";
import { metricsTable } from "./metrics-table.ts";

/** The files about monitoring that are made from the code. Paths are relative to the repository. */

export const METRICS_TABLE = "docs/metrics.md";
const DASHBOARDS_OF_CHART = "helm/city-operator/files/dashboards";
export const DASHBOARDS: readonly Dashboard[] = [fleet, city, worker, database];

export function deriveMonitoring(): ReadonlyMap<string, string> {
  return new Map([
    [METRICS_TABLE, metricsTable()],
    ...DASHBOARDS.map(
      (dashboard) => [join(DASHBOARDS_OF_CHART, `${dashboard.uid}.json`), grafanaJson(dashboard)] as const,
    ),
  ]);
}
