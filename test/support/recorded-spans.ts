import type { Span, SpanAttributes, Tracing } from "../../runtime/tracing/span.ts";

/** A span as it was told of: what a test of those that tell can look at, without OpenTelemetry. */
export type RecordedSpan = {
  readonly name: string;
  readonly parent: RecordedSpan | undefined;
  /** Of a span that began a trace, or went on with one of another process. */
  readonly traceparent: string | undefined;
  readonly isRare: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failures: readonly string[];
  readonly startedMs: number | undefined;
  readonly hasEnded: boolean;
};

/** Tracing that keeps all spans, in the order in which they began. `traceparent` of a span is its name. */
export function recordingTracing(): { readonly tracing: Tracing; readonly spans: readonly RecordedSpan[] } {
  const spans: RecordedSpan[] = [];
  const open = (from: Omit<RecordedSpan, "failures" | "hasEnded">): Span => {
    const failures: string[] = [];
    const span = { ...from, attributes: { ...from.attributes }, failures, hasEnded: false };
    spans.push(span);
    return {
      isRecorded: true,
      traceparent: from.name,
      child: (name, attributes: SpanAttributes = {}, startedMs?: number) =>
        open({ name, parent: span, traceparent: undefined, isRare: false, attributes, startedMs }),
      set: (attributes) => void Object.assign(span.attributes, attributes),
      fail: (because) => void failures.push(because),
      end() {
        if (span.hasEnded) throw new Error(`${from.name} ended twice`);
        span.hasEnded = true;
      },
    };
  };
  const begin: Tracing["begin"] = (name, { attributes = {}, startedMs, traceparent, isRare = false } = {}) =>
    open({ name, parent: undefined, traceparent, isRare, attributes, startedMs });
  return { tracing: { isOn: true, begin, close: async () => undefined }, spans };
}
