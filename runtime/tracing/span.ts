/**
 * What the product says of its traces. Nothing here knows how they are recorded or where they go: with tracing off, which is
 * the default, every span is `noSpan`, and nothing else is loaded.
 */

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** One piece of work, from its start to its end. Times are monotonic milliseconds; without one it is now. */
export type Span = {
  /** Whether anybody will see it: what costs something to find out need not be found out for others. */
  readonly isRecorded: boolean;
  /** The W3C traceparent with which another process continues the trace; undefined where nothing is recorded. */
  readonly traceparent: string | undefined;
  child(name: string, attributes?: SpanAttributes, startedMs?: number): Span;
  set(attributes: SpanAttributes): void;
  /** It did not come to what it was for. `because`: a word of a closed set, such as the code of an error. */
  fail(because: string, cause?: unknown): void;
  end(endedMs?: number): void;
};

export type SpanStart = {
  readonly attributes?: SpanAttributes;
  readonly startedMs?: number;
  /** The W3C traceparent of the work that led to this, maybe in another process; undefined: the span begins a trace. */
  readonly traceparent?: string | undefined;
  /** Traced whatever share of traces is sampled: what is rare, and asked for by name. */
  readonly isRare?: boolean;
};

export type Tracing = {
  readonly isOn: boolean;
  begin(name: string, start?: SpanStart): Span;
  /** Delivers what there is, within a few seconds; never rejects. */
  close(): Promise<void>;
};

export const noSpan: Span = {
  isRecorded: false,
  traceparent: undefined,
  child: () => noSpan,
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

export const tracingOff: Tracing = {
  isOn: false,
  begin: () => noSpan,
  close: async () => undefined,
};

const UNTRACED = {};

/** What a log line of traced work has beside its other fields: the id of the trace to look at. */
export function traceFieldOf(traceparent: string | undefined): { readonly trace?: string } {
  return traceparent === undefined ? UNTRACED : { trace: traceparent.slice(3, 35) };
}

/** Ends the span with the work. An error is recorded on it by `codeOf` and goes on to the caller. */
export function spanned<Result>(
  span: Span,
  work: () => Promise<Result>,
  codeOf: (error: unknown) => string,
): Promise<Result> {
  return span.isRecorded ? recorded(span, work, codeOf) : work();
}

async function recorded<Result>(
  span: Span,
  work: () => Promise<Result>,
  codeOf: (error: unknown) => string,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    span.fail(codeOf(error), error);
    throw error;
  } finally {
    span.end();
  }
}
