import { createMetrics, type Metrics } from "../../runtime/metrics.ts";

/** A process's metrics, read as Prometheus does. */
export type MetricValues = {
  readonly metrics: Metrics;
  /** The series as the page of metrics has it, such as `things_total{kind="seen"}`; undefined: there is none. */
  readonly value: (series: string) => Promise<number | undefined>;
};

export function createMetricValues(): MetricValues {
  const metrics = createMetrics();
  return {
    metrics,
    async value(series) {
      const line = (await metrics.registry.metrics())
        .split("\n")
        .find((text) => text.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length));
    },
  };
}
