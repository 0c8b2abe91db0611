import type { EnvironmentReader } from "../environment.ts";

/** How traces are sampled, kept and sent. The variables are OpenTelemetry's own; its exporter reads headers and certificates itself. */
export type TracingSettings = {
  /** The share of ticks that are traced, 0 to 1. What is rare is always traced, unless `isSilent`. */
  readonly sampleRatio: number;
  /** Nothing begins a trace; those that others began are continued. */
  readonly isSilent: boolean;
  /** For one delivery, with its retries. */
  readonly exportTimeoutMs: number;
  readonly queueSizeMax: number;
  readonly batchSizeMax: number;
  readonly delayMs: number;
};

const SAMPLERS = [
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  "always_on",
  "always_off",
  "traceidratio",
] as const;
const COUNT_MAX = 1_000_000;
/** Less than OpenTelemetry's ten seconds: whoever ends with a collector that hangs waits for that long. */
const EXPORT_TIMEOUT_MS = 3_000;
const DURATION_MS_MAX = 3_600_000;

/** Undefined: tracing is off, as it is where no endpoint is named. Mistakes are left with `environment`. */
export function readTracingSettings(environment: EnvironmentReader): TracingSettings | undefined {
  const endpoint = environment.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", undefined, parseEndpoint);
  const own = environment.parsed("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", undefined, parseEndpoint);
  const isDisabled = environment.oneOf("OTEL_SDK_DISABLED", ["true", "false"], "false") === "true";
  const exporter = environment.oneOf("OTEL_TRACES_EXPORTER", ["otlp", "none"], "otlp");
  if (isDisabled || exporter === "none" || (endpoint ?? own) === undefined) return undefined;
  for (const name of ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"]) {
    environment.parsed(name, undefined, refuseGrpc);
  }
  const sampler = environment.oneOf("OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on");
  const share = environment.parsed("OTEL_TRACES_SAMPLER_ARG", 1, parseShare);
  const durations = { min: 1, max: DURATION_MS_MAX };
  const timeout = environment.integer("OTEL_EXPORTER_OTLP_TIMEOUT", durations, EXPORT_TIMEOUT_MS);
  const counts = { min: 1, max: COUNT_MAX };
  const queueSizeMax = environment.integer("OTEL_BSP_MAX_QUEUE_SIZE", counts, 2_048);
  const batchSizeMax = environment.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", counts, 512);
  return {
    sampleRatio: sampler.endsWith("traceidratio") ? share : sampler.endsWith("always_on") ? 1 : 0,
    isSilent: sampler.endsWith("always_off"),
    exportTimeoutMs: environment.integer("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", durations, timeout),
    queueSizeMax,
    batchSizeMax: Math.min(batchSizeMax, queueSizeMax),
    delayMs: environment.integer("OTEL_BSP_SCHEDULE_DELAY", durations, 5_000),
  };
}

function parseEndpoint(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : "";
  if (protocol === "http:" || protocol === "https:") return text;
  throw new RangeError(
    `${JSON.stringify(text)} is no URL of a collector, write the one where it takes OTLP over HTTP, such as http://collector:4318`,
  );
}

/** A collector takes JSON and protobuf at one address; we send JSON. */
function refuseGrpc(text: string): undefined {
  if (text === "http/json" || text === "http/protobuf") return undefined;
  throw new RangeError(
    `${JSON.stringify(text)} is not spoken here, write http/json, and as the endpoint the collector's port for OTLP over HTTP, which is 4318 by default`,
  );
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share >= 0 && share <= 1) return share;
  throw new RangeError(
    `${JSON.stringify(text)} is no share of traces, write a number from 0 to 1, such as 0.1`,
  );
}
