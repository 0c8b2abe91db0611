import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { cityView, decide, fenceView, leaseView, workerView } from "../../support/fleet.ts";

const unheld = leaseView({ token: parseToken("9"), task: taskOf(cityOf("madrid")) });
const sealedFence = fenceView({ token: parseToken("9") });

describe("a city", () => {
  test("stays with a live holder", () => {
    expect(decide([cityView("madrid", { holder: "w1" })], [workerView("w1"), workerView("w2")])).toEqual({
      madrid: { kind: "keep" },
    });
  });

  test("gets the finalizer before anybody holds it", () => {
    expect(decide([cityView("madrid", { hasFinalizer: false })], [workerView("w1")])).toEqual({
      madrid: { kind: "adopt" },
    });
  });

  test("that is new goes to the least loaded live worker", () => {
    const cities = [cityView("madrid", { holder: "w1" }), cityView("paris")];
    expect(decide(cities, [workerView("w1"), workerView("w2")])["paris"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "new-city",
    });
  });

  test("waits when no worker of its pool is live", () => {
    const workers = [
      workerView("w1", { pool: "other" }),
      workerView("w2", { liveness: "joining" }),
      workerView("w3", { liveness: "late" }),
      workerView("w4", { liveness: "draining" }),
      workerView("w5", { liveness: "gone" }),
    ];
    expect(decide([cityView("madrid")], workers)).toEqual({
      madrid: { kind: "wait", because: "no-workers" },
    });
  });

  test.each([
    ["gone", "holder-gone"],
    ["draining", "holder-draining"],
  ] as const)("leaves a holder that is %s", (liveness, because) => {
    expect(
      decide([cityView("madrid", { holder: "w1" })], [workerView("w1", { liveness }), workerView("w2")])[
        "madrid"
      ],
    ).toEqual({ kind: "assign", worker: "w2", because });
  });

  test("leaves a holder whose Lease is gone", () => {
    expect(decide([cityView("madrid", { holder: "w0" })], [workerView("w2")])["madrid"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "holder-gone",
    });
  });

  test("is not taken from a silent holder while the database does not answer", () => {
    expect(
      decide(
        [cityView("madrid", { holder: "w1" })],
        [workerView("w1", { liveness: "gone" }), workerView("w2")],
        {
          isDatabaseReachable: false,
        },
      ),
    ).toEqual({ madrid: { kind: "wait", because: "database-unreachable" } });
  });

  test.each(["late", "joining"] as const)("stays with a holder that is %s", (liveness) => {
    const [decision] = Object.values(
      decide([cityView("madrid", { holder: "w1" })], [workerView("w1", { liveness }), workerView("w2")]),
    );
    expect(decision).toEqual(
      liveness === "late" ? { kind: "wait", because: "holder-late" } : { kind: "keep" },
    );
  });

  test("stays with its holder under a new token when its Lease lacks a parameter that its schema has got since", () => {
    const madrid = cityView("madrid", { holder: "w1" });
    const { weights: _new, ...older } = madrid.task.dispatch;
    const lease = leaseView({ worker: "w1", task: { ...madrid.task, dispatch: older } });
    expect(decide([{ ...madrid, lease }], [workerView("w1"), workerView("w2")])["madrid"]).toEqual({
      kind: "assign",
      worker: "w1",
      because: "spec-changed",
    });
  });

  test("stays with its holder under a new token when its specification changed", () => {
    const madrid = cityView("madrid", { holder: "w1" });
    const edited = { ...madrid, task: { ...madrid.task, generation: 2, period: "2s" } };
    expect(decide([edited], [workerView("w1"), workerView("w2")])["madrid"]).toEqual({
      kind: "assign",
      worker: "w1",
      because: "spec-changed",
    });
  });

  test("moves when its pool changed", () => {
    const madrid = cityView("madrid", { holder: "w1", pool: "big" });
    expect(decide([madrid], [workerView("w1"), workerView("w2", { pool: "big" })])["madrid"]).toEqual({
      kind: "assign",
      worker: "w2",
      because: "pool-changed",
    });
  });

  test("is left alone while another cluster is the authority, or nobody knows", () => {
    for (const [authority, because] of [
      [{ kind: "foreign", clusterUid: "x", epoch: 2n }, "foreign-authority"],
      [{ kind: "unknown" }, "authority-unknown"],
    ] as const) {
      expect(decide([cityView("madrid")], [workerView("w1")], { authority })).toEqual({
        madrid: { kind: "wait", because },
      });
    }
  });
});

describe("a suspended city", () => {
  const city = cityOf("madrid", { suspend: true });

  test("is taken from its holder, then sealed, then kept so", () => {
    const workers = [workerView("w1")];
    expect(decide([cityView("madrid", { city, holder: "w1" })], workers)["madrid"]).toEqual({
      kind: "unassign",
      because: "suspended",
    });
    expect(decide([cityView("madrid", { city, lease: unheld })], workers)["madrid"]).toEqual({
      kind: "seal",
      because: "suspended",
    });
    expect(
      decide([cityView("madrid", { city, lease: unheld, fence: sealedFence })], workers)["madrid"],
    ).toEqual({
      kind: "keep",
    });
  });

  test("is released anew when it was resumed and suspended again: a late write that resumes it must fail", () => {
    const again = cityOf("madrid", { suspend: true }, { generation: 3 });
    expect(
      decide([cityView("madrid", { city: again, lease: unheld, fence: sealedFence })], [])["madrid"],
    ).toEqual({ kind: "unassign", because: "suspended" });
  });

  test("is sealed again when the fence is behind the Lease, or has a holder", () => {
    for (const fence of [
      fenceView({ token: parseToken("8") }),
      fenceView({ token: parseToken("8"), holder: "w1" }),
      // Another cluster had sealed it, before this one took over.
      { ...sealedFence, epoch: 0n },
    ]) {
      expect(decide([cityView("madrid", { city, lease: unheld, fence })], [])["madrid"]).toEqual({
        kind: "seal",
        because: "suspended",
      });
    }
  });

  test("is assigned again when it is resumed", () => {
    const lease = { ...unheld };
    expect(decide([cityView("madrid", { lease, fence: sealedFence })], [workerView("w1")])["madrid"]).toEqual(
      {
        kind: "assign",
        worker: "w1",
        because: "resumed",
      },
    );
  });
});

describe("a deleted city", () => {
  const deleting = { isDeleting: true };

  test("is taken from its holder, sealed, and only then let go", () => {
    expect(decide([cityView("madrid", { ...deleting, holder: "w1" })], [])["madrid"]).toEqual({
      kind: "unassign",
      because: "deleted",
    });
    expect(decide([cityView("madrid", { ...deleting, lease: unheld })], [])["madrid"]).toEqual({
      kind: "seal",
      because: "deleted",
    });
    expect(
      decide([cityView("madrid", { ...deleting, lease: unheld, fence: sealedFence })], [])["madrid"],
    ).toEqual({
      kind: "remove",
      because: "sealed",
    });
  });

  test("that nobody ever held is let go at once", () => {
    expect(decide([cityView("madrid", deleting)], [])["madrid"]).toEqual({
      kind: "remove",
      because: "sealed",
    });
  });

  test("whose Lease somebody took away by hand is sealed all the same", () => {
    const fence = fenceView({ holder: "w1" });
    expect(decide([cityView("madrid", { ...deleting, fence })], [])["madrid"]).toEqual({
      kind: "unassign",
      because: "deleted",
    });
    // Nobody can say who holds it while the database does not answer.
    expect(decide([cityView("madrid", deleting)], [], { isDatabaseReachable: false })["madrid"]).toEqual({
      kind: "wait",
      because: "database-unreachable",
    });
  });
});

describe("a city that is deleted where another cluster is the authority", () => {
  const authority = { kind: "foreign", clusterUid: "x", epoch: 2n } as const;
  const decideDeleting = (fields: Parameters<typeof cityView>[1]) =>
    decide([cityView("madrid", { isDeleting: true, ...fields })], [workerView("w1")], { authority })[
      "madrid"
    ];

  test("is taken from its holder first", () => {
    expect(decideDeleting({ holder: "w1", fence: sealedFence })).toEqual({
      kind: "unassign",
      because: "deleted",
    });
  });

  test("waits while a tick from here could still be committed", () => {
    expect(decideDeleting({ lease: unheld, fence: { ...sealedFence, holder: "w1" } })).toEqual({
      kind: "wait",
      because: "foreign-authority",
    });
  });

  test("can go once the other cluster claimed it, or when nobody here ever held it", () => {
    expect(decideDeleting({ lease: unheld, fence: { ...sealedFence, epoch: 2n } })).toEqual({
      kind: "remove",
      because: "beyond-us",
    });
    expect(decideDeleting({ lease: undefined })).toEqual({ kind: "remove", because: "beyond-us" });
  });
});
