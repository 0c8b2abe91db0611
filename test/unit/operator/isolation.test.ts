import { describe, expect, test } from "@jest/globals";
import { NOW_MS, cityView, decide, fenceView, leaseView, workerView } from "../../support/fleet.ts";
import { cityOf, taskOf } from "../../support/cities.ts";

const lease = (worker: string, deaths = 0, city = "poison") =>
  leaseView({ worker, task: taskOf(cityOf(city)), setbacks: deaths, deaths });
const workers = [workerView("w2"), workerView("w3")];
const others = [
  ...["a", "b", "c"].map((name) => cityView(name, { holder: "w2" })),
  cityView("d", { holder: "w3" }),
];
/** Its worker w1 is gone, and it had not ticked there. */
const poison = (deaths: number, silenceMs: number) =>
  cityView("poison", { lease: lease("w1", deaths), watchedSinceMs: NOW_MS - silenceMs });

describe("a city whose worker died before it had ticked there", () => {
  test("waits until the least loaded worker is cleared for it", () => {
    expect(decide([poison(0, 0), ...others], workers)).toEqual({
      poison: { kind: "wait", because: "isolating" },
      a: { kind: "keep" },
      b: { kind: "keep" },
      c: { kind: "keep" },
      d: { kind: "assign", worker: "w2", because: "isolation" },
    });
  });

  test("gets it for itself", () => {
    const cleared = others.map((city) => cityView(city.name, { holder: "w2" }));
    expect(decide([poison(0, 0), ...cleared], workers)["poison"]).toEqual({
      kind: "assign",
      worker: "w3",
      because: "holder-gone",
    });
  });

  test("has it for itself until it ticks", () => {
    const present = cityView("poison", { lease: lease("w3", 1) });
    const fresh = cityView("fresh");
    const onW2 = others.map((city) => cityView(city.name, { holder: "w2" }));
    const where = (city: typeof present) =>
      decide([city, fresh, ...onW2], workers, { shedBudget: 10 })["fresh"];
    expect(where(present)).toMatchObject({ worker: "w2" });
    const ticked = { ...present, fence: fenceView({ holder: "w3", claimedAtMs: 1, committedAtMs: 2 }) };
    expect(where(ticked)).toMatchObject({ worker: "w3" });
  });

  test("rests longer after each death", () => {
    const cleared = others.map((city) => cityView(city.name, { holder: "w2" }));
    const after = (deaths: number, silenceMs: number) =>
      decide([poison(deaths, silenceMs), ...cleared], workers)["poison"];
    expect(after(1, 4_999)).toEqual({ kind: "wait", because: "resting" });
    expect(after(1, 5_000)).toMatchObject({ kind: "assign" });
    expect(after(3, 19_999)).toEqual({ kind: "wait", because: "resting" });
    expect(after(3, 20_000)).toMatchObject({ kind: "assign" });
  });

  test("clears nobody's worker while it rests", () => {
    const decisions = decide([poison(2, 0), ...others], workers);
    expect(Object.values(decisions).filter(({ kind }) => kind === "assign")).toEqual([]);
  });

  test("is placed as always where no other worker would be left", () => {
    expect(decide([poison(0, 0), cityView("d", { holder: "w3" })], [workerView("w3")])).toEqual({
      poison: { kind: "assign", worker: "w3", because: "holder-gone" },
      d: { kind: "keep" },
    });
  });

  test("shares the worker with other suspects, and with nobody else", () => {
    const held = cityView("poison", { lease: lease("w3", 1) });
    const second = cityView("second", { lease: lease("w1", 0, "second") });
    const onW2 = others.map((city) => cityView(city.name, { holder: "w2" }));
    expect(decide([held, second, ...onW2], workers)["second"]).toMatchObject({ worker: "w3" });
  });

  test("a city that had ticked there is no suspect", () => {
    const fence = fenceView({ holder: "w1", claimedAtMs: 1, committedAtMs: 2 });
    const innocent = cityView("innocent", { lease: lease("w1", 0, "innocent"), fence });
    expect(decide([innocent, ...others], workers)).toMatchObject({
      innocent: { kind: "assign", worker: "w3" },
      d: { kind: "keep" },
    });
  });
});
