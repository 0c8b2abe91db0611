import { noSpan, type Span, type SpanAttributes, type Tracing } from "../../runtime/tracing/span.ts";
import type { DispatchAnswer } from "../dispatch-pool/protocol.ts";
import type { EndReason, TenureEvent } from "./transition.ts";

/**
 * The traces of one tenure. Until its first commit it goes on with the trace of the change that led to it, which the operator
 * began; from then on every tick is a trace of its own, as far as they are sampled.
 */
export type TenureTrace = {
  claim(attempt: number): Span;
  /** `startedMs`: of the tick, monotonic. */
  tick(attributes: SpanAttributes, startedMs: number): Span;
  /** What became of it; the first commit ends the trace of the change. */
  happened(span: Span, event: TenureEvent): void;
  /** The tenure is over, maybe before its first commit. */
  ended(because: EndReason): void;
};

export function createTenureTrace(
  tracing: Tracing,
  input: { readonly city: string; readonly token: bigint; readonly traceparent: string | undefined },
  worker: string,
): TenureTrace {
  if (!tracing.isOn) return noTrace;
  const { city, token, traceparent } = input;
  const tenure = { "dispatch.city": city, "dispatch.token": String(token), "dispatch.worker": worker };
  let change =
    traceparent === undefined
      ? noSpan
      : tracing.begin("tenure up to the first commit", { attributes: tenure, traceparent });
  const close = (): void => {
    change.end();
    change = noSpan;
  };
  return {
    claim: (attempt) => change.child("claim", { "dispatch.attempt": attempt }),
    tick(attributes, startedMs) {
      const all = { ...tenure, ...attributes };
      return change.isRecorded
        ? change.child("tick", all, startedMs)
        : tracing.begin("tick", { attributes: all, startedMs });
    },
    happened(span, event) {
      if (span.isRecorded) {
        span.set({ "dispatch.outcome": event.kind });
        if (event.kind !== "committed" && event.kind !== "claimed") span.fail(becauseOf(event));
        span.end();
      }
      if (event.kind === "committed") close();
    },
    ended(because) {
      change.fail(because);
      close();
    },
  };
}

const noTrace: TenureTrace = {
  claim: () => noSpan,
  tick: () => noSpan,
  happened: () => undefined,
  ended: () => undefined,
};

function becauseOf(event: TenureEvent): string {
  return event.kind === "missed" ? event.because : event.kind;
}

/**
 * The thread's own time, of which it tells how long it was: what is decided lies at the end of the wait for it, and what is
 * before that is the way there and the wait for a thread that is free.
 */
export function traceThread(span: Span, { by, tookMs }: DispatchAnswer, answeredMs: number): void {
  if (!span.isRecorded) return;
  const decidedMs = answeredMs - tookMs.validate;
  span.child("dispatch thread", { "dispatch.dispatcher": by }, decidedMs - tookMs.dispatch).end(decidedMs);
  span.child("validate", {}, decidedMs).end(answeredMs);
}
