import { describe, expect, test } from "@jest/globals";
import { newestVersion } from "../../../operator/cities/rollout.ts";
import type { WorkerView } from "../../../operator/workers/roster.ts";
import { cityView, decide, workerView } from "../../support/fleet.ts";

const old = (id: string, fields: Partial<WorkerView> = {}) =>
  workerView(id, { version: "1", bornAt: "2026-01-01T00:00:00Z", ...fields });
const young = (id: string, fields: Partial<WorkerView> = {}) =>
  workerView(id, { version: "2", bornAt: "2026-01-02T00:00:00Z", ...fields });
const newest = (...workers: WorkerView[]) =>
  newestVersion(new Map(workers.map((worker) => [worker.id, worker])), "default");

describe("the newest version", () => {
  test("is that of the worker born last, while there are several", () => {
    expect(newest(old("a"), young("b"))).toBe("2");
    expect(newest(old("a"), old("b"))).toBeUndefined();
  });

  test("counts what leaves as a version, but not as the newest", () => {
    expect(newest(old("a", { liveness: "draining" }), young("b"))).toBe("2");
    expect(newest(old("a"), young("b", { liveness: "draining" }))).toBe("1");
    expect(newest(old("a"), young("b", { liveness: "gone" }))).toBeUndefined();
  });

  test("is a matter of each pool", () => {
    expect(newest(old("a"), young("b", { pool: "other" }))).toBeUndefined();
  });
});

describe("during a rollout", () => {
  const cities = ["a", "b", "c", "d", "e", "f"].map((name, index) =>
    cityView(name, { holder: `old${index % 3}` }),
  );

  test("a drained worker's cities go to the newer ones, though others have less to do", () => {
    const workers = [old("old0", { liveness: "draining" }), old("old1"), old("old2"), young("new0")];
    const idle = old("old3");
    expect(decide(cities, [...workers, idle])).toMatchObject({
      a: { kind: "assign", worker: "new0", because: "holder-draining" },
      d: { kind: "assign", worker: "new0", because: "holder-draining" },
    });
  });

  test("after a change of leaders, a drained worker's cities wait for the newer one that has not shown yet that it lives", () => {
    const draining = old("old0", { liveness: "draining" });
    const joining = young("new0", { liveness: "joining" });
    expect(decide(cities, [draining, old("old1"), old("old2"), joining])).toMatchObject({
      a: { kind: "wait", because: "no-successor" },
      d: { kind: "wait", because: "no-successor" },
    });
    // Nor are they crowded onto the newer one that has shown it first.
    expect(decide(cities, [draining, old("old1"), old("old2"), joining, young("new1")])).toMatchObject({
      a: { kind: "wait", because: "no-successor" },
    });
    // Nobody ticks for those of one that is gone.
    const gone = old("old0", { liveness: "gone" });
    const [city = cityView("a")] = cities;
    expect(decide([city], [gone, old("old1"), old("old2"), joining])).toMatchObject({
      a: { kind: "assign", because: "holder-gone" },
    });
    // Silent for too long, or another pool's: nobody is waited for.
    for (const other of [
      young("new0", { liveness: "late" }),
      young("new0", { liveness: "joining", pool: "b" }),
    ]) {
      expect(decide(cities, [draining, old("old1"), old("old2"), other])).toMatchObject({
        a: { kind: "assign", because: "holder-draining" },
      });
    }
  });

  test("the first new worker is not given everything", () => {
    const draining = ["old0", "old1", "old2"].map((id) => old(id, { liveness: "draining" }));
    const taken = Object.values(decide(cities, [...draining, old("old3"), young("new0")])).map((decision) =>
      decision.kind === "assign" ? decision.worker : "kept",
    );
    expect(taken.toSorted()).toEqual(["new0", "new0", "new0", "new0", "old3", "old3"]);
  });

  test("balance moves nothing to a worker that will be drained", () => {
    const onYoung = ["a", "b", "c", "d"].map((name) => cityView(name, { holder: "new0" }));
    const decisions = decide(onYoung, [young("new0"), old("old0")], { shedBudget: 10 });
    expect(Object.values(decisions)).toEqual(onYoung.map(() => ({ kind: "keep" })));
    const onOld = onYoung.map(({ name }) => cityView(name, { holder: "old0" }));
    expect(decide(onOld, [young("new0"), old("old0")], { shedBudget: 1 })["a"]).toMatchObject({
      worker: "new0",
      because: "balance",
    });
  });
});
