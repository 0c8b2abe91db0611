import { describe, expect, test } from "@jest/globals";
import { recentLosses } from "../../../operator/workers/losses.ts";
import { NOW_MS, cityView, decide, fenceView, workerView } from "../../support/fleet.ts";

const names = ["a", "b", "c", "d", "e", "f"];
const stalledSinceMs = NOW_MS - 60_000;
const kinds = (decisions: ReturnType<typeof decide>) => Object.values(decisions).map(({ kind }) => kind);

describe("when most cities stall at once", () => {
  const workers = ["w1", "w2", "w3"].map((id) => workerView(id));
  const fleetWithStalled = (stalled: number, holderOf: (index: number) => string) =>
    names.map((name, index) =>
      cityView(name, {
        holder: holderOf(index),
        watchedSinceMs: index < stalled ? stalledSinceMs : NOW_MS,
      }),
    );

  test("nothing is moved, and each says why", () => {
    const decisions = decide(
      fleetWithStalled(4, (index) => `w${(index % 2) + 1}`),
      workers,
    );
    expect(names.slice(0, 4).map((name) => decisions[name])).toEqual(
      Array.from({ length: 4 }, () => ({ kind: "wait", because: "most-stalled" })),
    );
  });

  test("half of them are not most", () => {
    const decisions = decide(
      fleetWithStalled(3, (index) => `w${(index % 2) + 1}`),
      workers,
    );
    expect(decisions["a"]).toMatchObject({ kind: "assign", because: "stalled" });
  });

  test("all those of a single worker have their cause in it, and move", () => {
    const decisions = decide(
      fleetWithStalled(5, () => "w1"),
      workers,
    );
    expect(decisions["a"]).toMatchObject({ kind: "assign", because: "stalled" });
  });

  test("suspended cities do not count", () => {
    const cities = fleetWithStalled(2, (index) => `w${(index % 2) + 1}`).map((city, index) =>
      index < 2 ? city : { ...city, isSuspended: true },
    );
    expect(decide(cities, workers)["a"]).toEqual({ kind: "wait", because: "most-stalled" });
  });
});

describe("when most workers are lost at once", () => {
  const cities = names.map((name, index) => cityView(name, { holder: `w${(index % 3) + 1}` }));
  const left = [workerView("w4")];
  const lost = (...agesMs: number[]) =>
    new Map(agesMs.map((ageMs, index) => [`w${index + 1}`, NOW_MS - ageMs] as const));

  test("nothing is moved at first: they may come back at once", () => {
    const decisions = decide(cities, left, { lostMs: lost(9_999, 20_000, 20_000), takeoverBudget: 50 });
    expect(Object.values(decisions)).toEqual(names.map(() => ({ kind: "wait", because: "most-lost" })));
  });

  test("then cities move at a bounded rate", () => {
    const decisions = decide(cities, left, { lostMs: lost(10_000, 20_000, 20_000), takeoverBudget: 2 });
    expect(kinds(decisions)).toEqual(["assign", "assign", "wait", "wait", "wait", "wait"]);
  });

  test("and after the window as always", () => {
    const decisions = decide(cities, left, { lostMs: lost(30_000, 30_000, 30_000) });
    expect(new Set(kinds(decisions))).toEqual(new Set(["assign"]));
  });

  test("one lost worker is no mass failure, nor are as many as are left", () => {
    const move = { kind: "assign", worker: "w4", because: "holder-gone" };
    expect(decide([cityView("a", { holder: "w1" })], left, { lostMs: lost(0) })["a"]).toEqual(move);
    expect(
      decide([cityView("a", { holder: "w1" })], [workerView("w3", { liveness: "late" }), ...left], {
        lostMs: lost(0, 0),
      })["a"],
    ).toEqual(move);
  });
});

describe("losses", () => {
  const held = [cityView("a", { holder: "w1" }), cityView("b", { holder: "w2" })];
  const nowMs = 100_000;

  test("are workers that went with cities in their hands, dated when that was first seen", () => {
    const workers = new Map([["w1", workerView("w1", { liveness: "gone" })]]);
    const before = new Map([["w1", 99_000]]);
    expect(recentLosses({ cities: held, workers, before, nowMs })).toEqual(
      new Map([
        ["w1", 99_000],
        ["w2", 100_000],
      ]),
    );
  });

  test("are forgotten after the window, but not counted anew while their cities wait", () => {
    const workers = new Map([["w2", workerView("w2")]]);
    const before = new Map([
      ["w1", 60_000],
      ["w0", 60_000],
    ]);
    expect(recentLosses({ cities: held, workers, before, nowMs })).toEqual(new Map([["w1", 60_000]]));
  });

  test("do not include who merely drains or is late", () => {
    const workers = new Map([
      ["w1", workerView("w1", { liveness: "draining" })],
      ["w2", workerView("w2", { liveness: "late" })],
    ]);
    expect(recentLosses({ cities: held, workers, before: new Map(), nowMs }).size).toBe(0);
  });
});

describe("a city whose fence is ahead of its Lease", () => {
  const workers = [workerView("w1"), workerView("w2")];
  const ahead = (fields: Parameters<typeof fenceView>[0]) =>
    decide([cityView("a", { holder: "w1", fence: fenceView({ holder: "w1", ...fields }) })], workers)["a"];

  test("waits until it is known whether etcd went back in time", () => {
    const { token } = fenceView();
    const wait = { kind: "wait", because: "fence-ahead" };
    expect(ahead({ token: (token + 1n) as typeof token })).toEqual(wait);
    expect(ahead({ holder: "w2" })).toEqual(wait);
    expect(ahead({})).toEqual({ kind: "keep" });
    expect(ahead({ token: (token - 1n) as typeof token, holder: "w2" })).toEqual({ kind: "keep" });
    expect(ahead({ epoch: 0n, token: (token + 1n) as typeof token })).toEqual({ kind: "keep" });
  });
});
