import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** What a metric is, for whoever reads its value. */
export type MetricNaming = {
  readonly name: string;
  /** What its value counts or measures: "seconds", "ticks", "cities". */
  readonly unit: string;
  readonly help: string;
};

/** A metric as it was declared: docs/metrics.md is made of these. */
export type MetricDescription = MetricNaming & {
  readonly type: "counter" | "gauge" | "histogram";
  /** Undefined: one series. Without values: one series for each object of that kind. */
  readonly label?: { readonly name: string; readonly values?: readonly string[] };
};

/** Label values with what each series has now. */
export type Readings = Iterable<readonly [labelValue: string, value: number]>;

/** One registry per process; every folder that counts declares its metrics in its own `metrics.ts` through this. */
export type Metrics = {
  readonly registry: Registry;
  /** All that were declared so far, in that order. */
  readonly descriptions: readonly MetricDescription[];
  /** A counter per outcome of a closed set; every label value starts at zero, so that a first event is a visible step. */
  countBy<Value extends string>(
    naming: MetricNaming,
    label: string,
    values: readonly Value[],
  ): (value: Value, count?: number) => void;
  /** A counter that begins at zero; each call adds one, or as many as it says. */
  counter(naming: MetricNaming): (count?: number) => void;
  gauge(naming: MetricNaming): (value: number) => void;
  /** A gauge per value of a closed set; each begins at zero. */
  gaugeBy<Value extends string>(
    naming: MetricNaming,
    label: string,
    values: readonly Value[],
  ): (value: Value, reading: number) => void;
  /** A gauge that is read when somebody asks; 0 until its source is told. */
  reading(naming: MetricNaming): (read: () => number) => void;
  /**
   * A series per object, such as a City, read when somebody asks; none until the source is told. An object that is not among
   * the readings any more has no series any more. Who declares one bounds its number.
   */
  readingsBy(
    naming: MetricNaming & { readonly type: "counter" | "gauge" },
    label: string,
  ): (read: () => Readings) => void;
  /** Durations in seconds. */
  histogram(naming: MetricNaming, bucketsSeconds: readonly number[]): (seconds: number) => void;
  /** The same for each value of a closed set; every one starts with no observation. */
  histogramBy<Value extends string>(
    naming: MetricNaming,
    by: { readonly label: string; readonly values: readonly Value[] },
    bucketsSeconds: readonly number[],
  ): (value: Value, seconds: number) => void;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const descriptions: MetricDescription[] = [];
  const describe = (
    { name, unit, help }: MetricNaming,
    type: MetricDescription["type"],
    label?: MetricDescription["label"],
  ) => {
    descriptions.push({ name, unit, help, type, ...(label === undefined ? {} : { label }) });
    return { name, help, registers: [registry] };
  };
  return {
    registry,
    descriptions,
    countBy(naming, label, values) {
      const options = describe(naming, "counter", { name: label, values });
      const counter = new Counter({ ...options, labelNames: [label] });
      for (const value of values) counter.inc({ [label]: value }, 0);
      return (value, count = 1) => counter.inc({ [label]: value }, count);
    },
    counter(naming) {
      const counter = new Counter(describe(naming, "counter"));
      return (count = 1) => counter.inc(count);
    },
    gauge(naming) {
      const gauge = new Gauge(describe(naming, "gauge"));
      return (value) => gauge.set(value);
    },
    gaugeBy(naming, label, values) {
      const options = describe(naming, "gauge", { name: label, values });
      const gauge = new Gauge({ ...options, labelNames: [label] });
      for (const value of values) gauge.set({ [label]: value }, 0);
      return (value, reading) => gauge.set({ [label]: value }, reading);
    },
    reading(naming) {
      let source = (): number => 0;
      const options = describe(naming, "gauge");
      const gauge: Gauge = new Gauge({ ...options, collect: () => gauge.set(source()) });
      return (read) => {
        source = read;
      };
    },
    readingsBy(naming, label) {
      let source = (): Readings => [];
      const options = { ...describe(naming, naming.type, { name: label }), labelNames: [label] };
      const metric =
        naming.type === "counter" ? new Counter({ ...options, collect }) : new Gauge({ ...options, collect });
      function collect(): void {
        metric.reset();
        for (const [labelValue, value] of source()) metric.inc({ [label]: labelValue }, value);
      }
      return (read) => {
        source = read;
      };
    },
    histogram(naming, bucketsSeconds) {
      const histogram = new Histogram({ ...describe(naming, "histogram"), buckets: [...bucketsSeconds] });
      return (seconds) => histogram.observe(seconds);
    },
    histogramBy(naming, { label, values }, bucketsSeconds) {
      const options = describe(naming, "histogram", { name: label, values });
      const histogram = new Histogram({ ...options, labelNames: [label], buckets: [...bucketsSeconds] });
      for (const value of values) histogram.zero({ [label]: value });
      return (value, seconds) => histogram.observe({ [label]: value }, seconds);
    },
  };
}
