import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** One registry per process; every folder that counts declares its metrics in its own `metrics.ts` through this. */
export type Metrics = {
  readonly registry: Registry;
  /** A counter per outcome of a closed set; every label value starts at zero, so that a first event is a visible step. */
  countBy<Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): (value: Value, count?: number) => void;
  /** A counter that begins at zero; each call adds one. */
  counter(name: string, help: string): () => void;
  gauge(name: string, help: string): (value: number) => void;
  /** Durations in seconds. */
  histogram(name: string, help: string, bucketsSeconds: readonly number[]): (seconds: number) => void;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    countBy(name, help, label, values) {
      const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
      for (const value of values) counter.inc({ [label]: value }, 0);
      return (value, count = 1) => {
        counter.inc({ [label]: value }, count);
      };
    },
    counter(name, help) {
      const counter = new Counter({ name, help, registers: [registry] });
      return () => {
        counter.inc();
      };
    },
    gauge(name, help) {
      const gauge = new Gauge({ name, help, registers: [registry] });
      return (value) => {
        gauge.set(value);
      };
    },
    histogram(name, help, bucketsSeconds) {
      const histogram = new Histogram({ name, help, buckets: [...bucketsSeconds], registers: [registry] });
      return (seconds) => {
        histogram.observe(seconds);
      };
    },
  };
}
