import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { TracingSettings } from "./settings.ts";
import { tracingOff, type SpanAttributes, type Tracing } from "./span.ts";

export type TracingDependencies = {
  readonly clock: Clock;
  readonly log: Log;
  /** What the traces come from, unless the settings name it. */
  readonly serviceName: string;
  /** Of the process, by the names that OpenTelemetry has for them. */
  readonly resource: SpanAttributes;
};

/** OpenTelemetry is loaded here, and only where it is wanted: a process that does not trace starts as fast as without. */
export async function openTracing(
  settings: TracingSettings | undefined,
  dependencies: TracingDependencies,
): Promise<Tracing> {
  if (settings === undefined) return tracingOff;
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  return startOpenTelemetry(settings, dependencies);
}
