import { describe, expect, test } from "@jest/globals";
import type { City } from "../../../crds/city.ts";
import { encodeAssignment, type Lease } from "../../../crds/lease.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createAssignments } from "../../../worker/assignments.ts";
import type { Tenure } from "../../../worker/tenure/tenure.ts";
import type { EndReason } from "../../../worker/tenure/transition.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const city: City = cityOf("madrid");

function lease(worker: string | undefined, token: number): Lease {
  const encoded = encodeAssignment({ city, worker, task: taskOf(city), replaces: undefined, nowMs: 0 });
  return { ...encoded, metadata: { ...encoded.metadata, resourceVersion: String(token) } };
}

/** Tenures that end only when the test says so. */
function started() {
  const tenures: { tenure: Tenure; calls: string[]; end: (because: EndReason) => Promise<void> }[] = [];
  const clock = createFakeClock();
  const assignments = createAssignments({
    worker: "worker-1-a",
    clock,
    log: silentLog,
    onSize: () => undefined,
    start: ({ city: name, token }) => {
      const { promise, resolve } = Promise.withResolvers<EndReason>();
      const calls: string[] = [];
      const tenure: Tenure = {
        city: name,
        token,
        stop: (because) => calls.push(because),
        abort: () => {
          calls.push("abort");
          resolve("stopping");
        },
        ended: promise,
      };
      tenures.push({
        tenure,
        calls,
        async end(because) {
          resolve(because);
          await new Promise((next) => setImmediate(next));
        },
      });
      return tenure;
    },
  });
  return { assignments, tenures, clock };
}

describe("the assignments of a worker", () => {
  test("start a tenure for a Lease that names it, once per token", () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-1-a", 5));
    assignments.onLease(lease("worker-1-a", 5));
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n]);
  });

  test("leave alone a Lease of another worker whose short id is the same", () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-2-b", 5));
    expect(tenures).toEqual([]);
  });

  test("let the old tenure end before one under a new token begins", async () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-1-a", 5));
    assignments.onLease(lease("worker-1-a", 6));
    expect(tenures).toHaveLength(1);
    expect(tenures[0]!.calls).toEqual(["unassigned"]);
    await tenures[0]!.end("unassigned");
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n, 6n]);
  });

  test("begin with the last of several tokens that came while the old tenure was ending", async () => {
    const { assignments, tenures } = started();
    for (const token of [5, 6, 7]) assignments.onLease(lease("worker-1-a", token));
    await tenures[0]!.end("unassigned");
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n, 7n]);
  });

  test("end the tenure of a Lease that left, and hold nothing then", async () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-1-a", 5));
    assignments.onLeaseGone(lease("worker-1-a", 5));
    expect(tenures[0]!.calls).toEqual(["unassigned"]);
    expect(assignments.size).toBe(1);
    await tenures[0]!.end("unassigned");
    expect(assignments.size).toBe(0);
  });

  test("end the tenure of a Lease that was given to nobody", async () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-1-a", 5));
    assignments.onLease(lease(undefined, 6));
    await tenures[0]!.end("unassigned");
    expect(assignments.size).toBe(0);
  });

  test("wait for the Lease when they were fenced, and go on with its next token", async () => {
    const { assignments, tenures, clock } = started();
    assignments.onLease(lease("worker-1-a", 5));
    await tenures[0]!.end("fenced");
    assignments.onLease(lease("worker-1-a", 5));
    await clock.advance(1_999);
    expect(tenures).toHaveLength(1);
    assignments.onLease(lease("worker-1-a", 6));
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n, 6n]);
    expect(clock.timerCount()).toBe(0);
  });

  test("claim again where the Lease still names them long after: the fence may have gone back", async () => {
    const { assignments, tenures, clock } = started();
    assignments.onLease(lease("worker-1-a", 5));
    await tenures[0]!.end("fenced");
    await clock.advance(2_000);
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n, 5n]);
    await tenures[1]!.end("fenced");
    await assignments.close();
    expect(clock.timerCount()).toBe(0);
    await clock.advance(10_000);
    expect(tenures).toHaveLength(2);
  });

  test("come back after the Lease left and returned while the old tenure was still ending", async () => {
    const { assignments, tenures } = started();
    assignments.onLease(lease("worker-1-a", 5));
    assignments.onLeaseGone(lease("worker-1-a", 5));
    assignments.onLease(lease("worker-1-a", 8));
    await tenures[0]!.end("unassigned");
    expect(tenures.map(({ tenure }) => tenure.token)).toEqual([5n, 8n]);
  });

  test("give up every tick in flight when they close, and start nothing more", async () => {
    const { assignments, tenures, clock } = started();
    assignments.onLease(lease("worker-1-a", 5));
    await assignments.close();
    expect(tenures[0]!.calls).toEqual(["abort"]);
    expect(clock.timerCount()).toBe(0);
    assignments.onLease(lease("worker-1-a", 6));
    expect(tenures).toHaveLength(1);
  });
});
