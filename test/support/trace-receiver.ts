import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A collector as far as we need one: takes OTLP over HTTP in JSON, and keeps the spans. */

export type ReceivedSpan = {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it began the trace. */
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The word of what it failed for; undefined: it did not. */
  readonly failedBecause: string | undefined;
};

export type TraceReceiver = {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Requests that came, answered or not. */
  readonly requests: number;
  /** "hang": takes requests and never answers. "refuse": answers that it cannot. */
  behave(how: "answer" | "hang" | "refuse"): void;
  close(): Promise<void>;
};

type Value = {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
};
type Attribute = { readonly key: string; readonly value: Value };
type SentSpan = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
};
type Sent = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
};

const FAILED = 2;

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  let requests = 0;
  let how: Parameters<TraceReceiver["behave"]>[0] = "answer";
  const server = createServer((request, response) => {
    requests += 1;
    if (how === "hang") return;
    void textOf(request).then((text) => {
      if (how === "answer") spans.push(...spansOf(JSON.parse(text) as Sent));
      response.writeHead(how === "answer" ? 200 : 400, { "content-type": "application/json" });
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get requests() {
      return requests;
    },
    behave(next) {
      how = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function spansOf(sent: Sent): readonly ReceivedSpan[] {
  return sent.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(recordOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => received(service, span)));
  });
}

function received(service: string, span: SentSpan): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId, status } = span;
  return {
    service,
    name,
    traceId,
    spanId,
    parentSpanId: parentSpanId === "" ? undefined : parentSpanId,
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    attributes: recordOf(span.attributes ?? []),
    failedBecause: status?.code === FAILED ? (status.message ?? "") : undefined,
  };
}

function recordOf(attributes: readonly Attribute[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? Number(value.doubleValue ?? value.intValue),
    ]),
  );
}
