import { describe, expect, test } from "@jest/globals";
import { decodeAssignment, encodeAssignment } from "../../../crds/lease.ts";
import type { Done } from "../../../operator/cities/act.ts";
import type { Decision } from "../../../operator/cities/place.ts";
import type { CityView } from "../../../operator/cities/view.ts";
import { createChangeTraces } from "../../../operator/change-traces.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import { tracingOff } from "../../../runtime/tracing/span.ts";
import { cityOf } from "../../support/cities.ts";
import { cityView, leaseView } from "../../support/fleet.ts";
import { recordingTracing } from "../../support/recorded-spans.ts";

/** The operator's part of the trace of a change. */

const ROUND = { startedMs: 500, decidedMs: 510 };
const adopt: Decision = { kind: "adopt" };
const assign = (because: Extract<Decision, { readonly kind: "assign" }>["because"]): Decision => ({
  kind: "assign",
  worker: "w2",
  because,
});
const conflict = new OperationalError({
  code: "kube-conflict",
  remedy: "refresh",
  message: "somebody wrote",
});

/** A City of this generation, with a Lease for that one, or none. */
function aView(generation: number, leased: number | undefined): CityView {
  const city = { ...cityOf("madrid"), metadata: { ...cityOf("madrid").metadata, generation } };
  const view = cityView("madrid", { city, lease: undefined });
  const task = { ...view.task, generation };
  if (leased === undefined) return { ...view, task };
  return { ...view, task, lease: leaseView({ worker: "w1", task: { ...task, generation: leased } }) };
}

function assigned(view: CityView): Done {
  const { city, task } = view;
  const written = encodeAssignment({ city, worker: "w2", task, replaces: undefined, nowMs: 0 });
  const lease = { ...written, metadata: { ...written.metadata, resourceVersion: "9" } };
  return { kind: "assigned", lease, assignment: decodeAssignment(lease), isMove: true };
}

function observed() {
  const { tracing, spans } = recordingTracing();
  const clock = { nowMs: 100 };
  const traces = createChangeTraces(tracing, () => clock.nowMs);
  const path = () =>
    spans.map(({ name, parent }) => (parent === undefined ? name : `${parent.name} > ${name}`));
  return { traces, spans, path, clock };
}

describe("a new City", () => {
  test("is one trace, from when it was seen over both writes to the token", () => {
    const { traces, spans, path, clock } = observed();
    const view = aView(1, undefined);
    traces.seen(view.city);
    clock.nowMs = 200;
    traces.seen(view.city);
    traces.begin({ view, decision: adopt }, ROUND).done({ kind: "adopted" });
    const act = traces.begin({ view, decision: assign("new-city") }, ROUND);
    expect(act.traceparent).toBe("write lease");
    act.done(assigned(view));
    expect(path()).toEqual([
      "city change",
      "city change > decide",
      "city change > write finalizer",
      "city change > decide",
      "city change > write lease",
    ]);
    expect(spans.every(({ hasEnded }) => hasEnded)).toBe(true);
    expect(spans[0]).toMatchObject({
      startedMs: 100,
      isRare: true,
      attributes: {
        "dispatch.city": "madrid",
        "dispatch.generation": 1,
        "dispatch.token": "9",
        "dispatch.worker": "w2",
      },
    });
    expect(spans[1]).toMatchObject({ startedMs: 500 });
  });

  test("whose write fails goes on with the next one", () => {
    const { traces, spans, path } = observed();
    const view = aView(1, undefined);
    traces.begin({ view, decision: assign("new-city") }, ROUND).failed(conflict);
    expect(spans[0]?.hasEnded).toBe(false);
    traces.begin({ view, decision: assign("new-city") }, ROUND).done(assigned(view));
    expect(path().filter((name) => name === "city change")).toHaveLength(1);
    expect(spans.map(({ failures }) => failures)).toEqual([[], [], ["kube-conflict"], [], []]);
    expect(spans.every(({ hasEnded }) => hasEnded)).toBe(true);
  });

  test("that goes away meanwhile ends its trace", () => {
    const { traces, spans } = observed();
    const view = aView(1, undefined);
    traces.begin({ view, decision: adopt }, ROUND).done({ kind: "adopted" });
    traces.forget("madrid");
    expect(spans.every(({ hasEnded }) => hasEnded)).toBe(true);
  });
});

test.each<[string, CityView, Decision, string, number]>([
  ["an edit", aView(2, 1), assign("spec-changed"), "city change", 100],
  ["a resumption", aView(2, 1), assign("resumed"), "city change", 100],
  ["a mitigation that ended by itself", aView(2, 2), assign("spec-changed"), "city change", 500],
  ["a drain", aView(2, 2), assign("holder-draining"), "city move", 500],
  ["a takeover", aView(2, 2), assign("holder-gone"), "city move", 500],
])("%s has a trace by its kind, from when it began", (_what, view, decision, name, startedMs) => {
  const { traces, spans } = observed();
  traces.seen(view.city);
  traces.begin({ view, decision }, ROUND).done(assigned(view));
  expect(spans[0]).toMatchObject({ name, startedMs });
  expect(spans[0]?.attributes["dispatch.from_worker"]).toBe(name === "city move" ? "w1" : undefined);
});

test("a move after a move is a trace of its own, also where the first one never came about", () => {
  const { traces, spans } = observed();
  const view = aView(1, 1);
  traces.begin({ view, decision: assign("holder-draining") }, ROUND).failed(conflict);
  traces.begin({ view, decision: assign("holder-gone") }, ROUND).done(assigned(view));
  expect(spans.filter(({ name }) => name === "city move")).toHaveLength(2);
  expect(spans.every(({ hasEnded }) => hasEnded)).toBe(true);
});

test.each<Decision>([
  { kind: "unassign", because: "suspended" },
  { kind: "seal", because: "suspended" },
  { kind: "remove", because: "sealed" },
])("no commit follows, and there is no trace: %p", (decision) => {
  const { traces, spans } = observed();
  expect(traces.begin({ view: aView(1, 1), decision }, ROUND).traceparent).toBeUndefined();
  expect(spans).toEqual([]);
});

test("with tracing off nothing is written into a Lease", () => {
  const traces = createChangeTraces(tracingOff, () => 0);
  traces.seen(cityOf("madrid"));
  const act = traces.begin({ view: aView(1, undefined), decision: assign("new-city") }, ROUND);
  expect(act.traceparent).toBeUndefined();
});
