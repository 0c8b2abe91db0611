import { Agent as PlainAgent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import {
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
  type Context,
  type Span as RecordingSpan,
  type Tracer,
} from "@opentelemetry/api";
import { ExportResultCode, parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import { withDeadline } from "../abort.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { TracingDependencies } from "./open.ts";
import type { TracingSettings } from "./settings.ts";
import { noSpan, type Span, type SpanAttributes, type Tracing } from "./span.ts";

/** The one file that knows OpenTelemetry. It is given no globals: no context is carried along, every span names its parent. */

/** Whether a span is traced whatever the sample: it goes to the sampler and to the trace's reader. */
const RARE = "dispatch.rare";
const CLOSE_LIMIT_MS = 2_000;

export function startOpenTelemetry(settings: TracingSettings, dependencies: TracingDependencies): Tracing {
  const { clock, log } = dependencies;
  const agents = new Set<PlainAgent>();
  const exporter = new OTLPTraceExporter({
    timeoutMillis: settings.exportTimeoutMs,
    httpAgentOptions: (protocol) => {
      const agent =
        protocol === "https:" ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
      agents.add(agent);
      return agent;
    },
  });
  const provider = new TracerProvider({
    resource: resourceOf(dependencies),
    sampler: samplerOf(settings),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: telling(exporter, log),
        maxQueueSize: settings.queueSizeMax,
        maxExportBatchSize: settings.batchSizeMax,
        scheduledDelayMillis: settings.delayMs,
      }),
    ],
  });
  const tracer = provider.getTracer("city-operator");
  return {
    isOn: true,
    begin(name, { attributes = {}, startedMs, traceparent, isRare = false } = {}) {
      const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
      const context =
        parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
      // Within a trace all times are on one clock, however the wall clock jumps meanwhile.
      const timeline = { clock, originMs: clock.wallMs() - clock.monotonicMs() };
      return start(
        { tracer, timeline, context },
        name,
        { ...attributes, ...(isRare ? { [RARE]: true } : {}) },
        startedMs,
      );
    },
    async close() {
      const never = new AbortController().signal;
      try {
        await withDeadline(
          { clock, what: "the delivery of traces", limitMs: CLOSE_LIMIT_MS, signal: never },
          (signal) => Promise.race([provider.shutdown(), clock.sleep(2 * CLOSE_LIMIT_MS, signal)]),
        );
      } catch (error) {
        log.warn({ err: error }, "last traces not delivered");
      }
      for (const agent of agents) agent.destroy();
    },
  };
}

/** What the variables of OpenTelemetry say counts for more than what we know. */
function resourceOf({ serviceName, resource }: TracingDependencies): Resource {
  const named = resourceFromAttributes({ ...resource, "service.name": serviceName });
  return defaultResource()
    .merge(named)
    .merge(detectResources({ detectors: [envDetector] }));
}

function samplerOf({ sampleRatio, isSilent }: TracingSettings): Sampler {
  const share = new TraceIdRatioBasedSampler(sampleRatio);
  const root: Sampler = {
    shouldSample: (context, traceId, ...rest) => {
      const [, , attributes] = rest;
      return attributes[RARE] === true && !isSilent
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : share.shouldSample(context, traceId);
    },
    toString: () => `RareOr{${share.toString()}}`,
  };
  // What a change led to is traced where the change is.
  return new ParentBasedSampler({ root });
}

/** A collector that is away is told of once, and once that it is back. */
function telling(exporter: SpanExporter, log: Log): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const hasFailed = result.code !== ExportResultCode.SUCCESS;
        if (hasFailed && !isFailing) {
          log.warn(
            { count: spans.length, err: result.error },
            "traces not delivered and dropped: see that OTEL_EXPORTER_OTLP_ENDPOINT is where a collector takes OTLP over HTTP",
          );
        }
        if (!hasFailed && isFailing) log.info({}, "traces delivered again");
        isFailing = hasFailed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

type Place = {
  readonly tracer: Tracer;
  /** `originMs`: milliseconds since 1970 at which the monotonic clock was at 0. */
  readonly timeline: { readonly clock: Clock; readonly originMs: number };
  /** Where the parent is. */
  readonly context: Context;
};

function start(place: Place, name: string, attributes: SpanAttributes, startedMs: number | undefined): Span {
  const { tracer, timeline, context } = place;
  const { clock, originMs } = timeline;
  const at = (timeMs: number | undefined): number => originMs + (timeMs ?? clock.monotonicMs());
  const span = tracer.startSpan(name, { startTime: at(startedMs), attributes }, context);
  if (!span.isRecording()) return noSpan;
  const inner = { ...place, context: trace.setSpan(context, span) };
  return {
    isRecorded: true,
    traceparent: traceparentOf(span),
    child: (childName, childAttributes = {}, childStartedMs) =>
      start(inner, childName, childAttributes, childStartedMs),
    set: (more) => void span.setAttributes(more),
    fail(because, cause) {
      span.setAttribute("error.type", because);
      span.setStatus({ code: SpanStatusCode.ERROR, message: because });
      if (Error.isError(cause)) span.recordException(cause, at(undefined));
    },
    end: (endedMs) => span.end(at(endedMs)),
  };
}

function traceparentOf(span: RecordingSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0")}`;
}
