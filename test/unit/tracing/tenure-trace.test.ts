import { describe, expect, test } from "@jest/globals";
import { createTenureTrace, traceThread } from "../../../worker/tenure/trace.ts";
import { anAnswer } from "../../support/dispatch-snapshot.ts";
import { recordingTracing } from "../../support/recorded-spans.ts";

/** The worker's part of the traces. */

const COMMITTED = { kind: "committed", tick: 1n, slotMs: 0, commitId: "c" } as const;

function aTenure(traceparent: string | undefined) {
  const { tracing, spans } = recordingTracing();
  const trace = createTenureTrace(tracing, { city: "madrid", token: 7n, traceparent }, "w-1");
  const path = () =>
    spans.map(({ name, parent }) => (parent === undefined ? name : `${parent.name} > ${name}`));
  return { trace, spans, path };
}

describe("a tenure", () => {
  test("goes on with the trace of its change until the first commit, and then traces each tick by itself", () => {
    const { trace, spans, path } = aTenure("the write");
    trace.happened(trace.claim(0), {
      kind: "claimed",
      epoch: 1n,
      tick: 0n,
      slotMs: undefined,
      commitId: undefined,
    });
    trace.happened(trace.tick({}, 0), { kind: "missed", because: "database-down" });
    trace.happened(trace.tick({}, 0), COMMITTED);
    trace.happened(trace.tick({}, 0), COMMITTED);
    trace.ended("unassigned");
    expect(path()).toEqual([
      "tenure up to the first commit",
      "tenure up to the first commit > claim",
      "tenure up to the first commit > tick",
      "tenure up to the first commit > tick",
      "tick",
    ]);
    expect(spans.map(({ hasEnded }) => hasEnded)).toEqual(spans.map(() => true));
    expect(spans.map(({ failures }) => failures)).toEqual([[], [], ["database-down"], [], []]);
    expect(spans[0]).toMatchObject({ traceparent: "the write" });
    expect(spans[4]?.attributes).toEqual({
      "dispatch.city": "madrid",
      "dispatch.token": "7",
      "dispatch.worker": "w-1",
      "dispatch.outcome": "committed",
    });
  });

  test("that ends before its first commit says why", () => {
    const { trace, spans } = aTenure("the write");
    trace.happened(trace.claim(0), { kind: "behind" });
    trace.ended("fenced");
    expect(spans.map(({ failures, hasEnded }) => [failures, hasEnded])).toEqual([
      [["fenced"], true],
      [["behind"], true],
    ]);
  });

  test("without a traced change has its ticks alone", () => {
    const { trace, path } = aTenure(undefined);
    trace.happened(trace.claim(0), { kind: "foreign" });
    trace.happened(trace.tick({}, 0), COMMITTED);
    expect(path()).toEqual(["tick"]);
  });

  test.each(["unknown", "fenced", "outpaced", "reload"] as const)("marks a tick that came to %s", (kind) => {
    const { trace, spans } = aTenure(undefined);
    trace.happened(trace.tick({}, 0), { kind });
    expect(spans).toMatchObject([{ failures: [kind], attributes: { "dispatch.outcome": kind } }]);
  });
});

test("the thread's time lies at the end of the wait for it", () => {
  const { tracing, spans } = recordingTracing();
  traceThread(tracing.begin("decide"), anAnswer({ tookMs: { dispatch: 30, validate: 10 } }), 1_000);
  expect(spans.slice(1)).toMatchObject([
    { name: "dispatch thread", startedMs: 960 },
    { name: "validate", startedMs: 990 },
  ]);
});
