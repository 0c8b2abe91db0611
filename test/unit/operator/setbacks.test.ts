import { describe, expect, test } from "@jest/globals";
import { ASSIGN_REASONS } from "../../../operator/cities/place.ts";
import { patienceMs, restMs, setbacksAfter } from "../../../operator/cities/setbacks.ts";
import { NOW_MS, cityView, decide, fenceView, leaseView, workerView } from "../../support/fleet.ts";
import { cityOf, taskOf } from "../../support/cities.ts";

const task = taskOf(cityOf("madrid"));
const heldBy = (worker: string, counts: { readonly setbacks?: number; readonly deaths?: number } = {}) =>
  leaseView({ worker, task, ...counts });
/** Looked at for so long, and no tick since. */
const silentFor = (
  silenceMs: number,
  counts: { readonly setbacks?: number; readonly deaths?: number } = {},
) => cityView("madrid", { lease: heldBy("w1", counts), watchedSinceMs: NOW_MS - silenceMs });

describe("patience", () => {
  test("doubles with every tenure that came to nothing, up to ten minutes", () => {
    const patience = (setbacks: number) => patienceMs(silentFor(0, { setbacks }));
    expect([0, 1, 2, 3].map(patience)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(patience(50)).toBe(600_000);
  });

  test("is never shorter than the city's own stallAfter", () => {
    const slow = cityView("madrid", { stallAfterMs: 3_600_000, lease: heldBy("w1", { setbacks: 4 }) });
    expect(patienceMs(slow)).toBe(3_600_000);
  });

  test("gives a city that may have killed its worker one chance at once, then longer and longer rests", () => {
    expect([0, 1, 2, 3].map((deaths) => restMs(silentFor(0, { deaths })))).toEqual([
      0, 5_000, 10_000, 20_000,
    ]);
  });
});

describe("setbacks", () => {
  const ticked = (forMs: number) =>
    fenceView({ holder: "w1", claimedAtMs: 1_000, committedAtMs: 1_000 + forMs });

  test.each([
    ["stalled", undefined, { setbacks: 3, deaths: 1 }],
    ["holder-gone", undefined, { setbacks: 3, deaths: 2 }],
    ["holder-draining", undefined, { setbacks: 2, deaths: 1 }],
    ["balance", undefined, { setbacks: 2, deaths: 1 }],
    ["resumed", undefined, { setbacks: 0, deaths: 0 }],
    // A tick under its token: the worker's death was not the city's doing.
    ["holder-gone", 0, { setbacks: 0, deaths: 0 }],
    // One tick and then nothing, again: no proof that the city is well.
    ["stalled", 0, { setbacks: 3, deaths: 0 }],
    // It ticked for a good while before it stalled: a first incident.
    ["stalled", 5_000, { setbacks: 0, deaths: 0 }],
    ["holder-draining", 5_000, { setbacks: 0, deaths: 0 }],
  ] as const)("after %s, with ticks for %p ms", (because, forMs, expected) => {
    const fence = forMs === undefined ? undefined : ticked(forMs);
    const city = cityView("madrid", { lease: heldBy("w1", { setbacks: 2, deaths: 1 }), fence });
    expect(setbacksAfter(city, because)).toEqual(expected);
  });

  test("are not forgiven for a tick under an earlier token", () => {
    const fence = { ...ticked(60_000), token: fenceView().token - 1n };
    const city = cityView("madrid", { lease: heldBy("w1"), fence: fence as ReturnType<typeof fenceView> });
    expect(setbacksAfter(city, "stalled")).toEqual({ setbacks: 1, deaths: 0 });
  });

  test.each(ASSIGN_REASONS)(
    "of a city without any stay none after a tick, whatever moves it: %s",
    (because) => {
      const city = cityView("madrid", { lease: heldBy("w1"), fence: ticked(60_000) });
      expect(setbacksAfter(city, because)).toEqual({ setbacks: 0, deaths: 0 });
    },
  );
});

describe("a stalled city", () => {
  const workers = [workerView("w1"), workerView("w2")];

  test("moves to another worker when patience is over, not before", () => {
    expect(decide([silentFor(4_999)], workers)).toEqual({ madrid: { kind: "keep" } });
    expect(decide([silentFor(5_000)], workers)).toEqual({
      madrid: { kind: "assign", worker: "w2", because: "stalled" },
    });
    expect(decide([silentFor(5_000, { setbacks: 1 })], workers)).toEqual({ madrid: { kind: "keep" } });
  });

  test("is one whose holder does not know of it, though a former one ticks on", () => {
    const fence = (token: bigint) =>
      fenceView({
        token: token as ReturnType<typeof fenceView>["token"],
        holder: "w1",
        advancedMs: NOW_MS - 100,
      });
    const { token } = leaseView();
    const claimed = { ...silentFor(60_000), fence: fence(token) };
    const unclaimed = { ...silentFor(60_000), fence: fence(token - 1n) };
    expect(decide([claimed], workers)).toEqual({ madrid: { kind: "keep" } });
    expect(decide([unclaimed], workers)).toMatchObject({ madrid: { worker: "w2", because: "stalled" } });
    expect(decide([{ ...unclaimed, assignedMs: NOW_MS - 4_999 }], workers)).toEqual({
      madrid: { kind: "keep" },
    });
  });

  test("stays where nobody else could take it", () => {
    expect(decide([silentFor(60_000)], [workerView("w1")])).toEqual({ madrid: { kind: "keep" } });
  });

  test("stays while the database does not answer", () => {
    expect(decide([silentFor(60_000)], workers, { isDatabaseReachable: false })).toEqual({
      madrid: { kind: "keep" },
    });
  });

  test("goes to a worker that reaches the database, however loaded", () => {
    const loaded = ["a", "b"].map((name) => cityView(name, { holder: "w3" }));
    const fleet = [...workers, workerView("w3")].map((worker) =>
      worker.id === "w2" ? { ...worker, isDatabaseReachable: false } : worker,
    );
    expect(decide([silentFor(60_000), ...loaded], fleet)["madrid"]).toMatchObject({ worker: "w3" });
  });

  test("cannot be the beginning of a livelock: a slow city gets a holder for as long as it needs", () => {
    // A city that needs 90 s before its first tick, on any worker, under an operator that would wait 5 s.
    const neededMs = 90_000;
    let setbacks = 0;
    let moves = 0;
    for (; patienceMs(silentFor(0, { setbacks })) < neededMs; moves += 1) {
      setbacks = setbacksAfter(silentFor(0, { setbacks }), "stalled").setbacks;
    }
    expect(moves).toBe(5);
  });
});
