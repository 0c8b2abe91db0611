import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { placeCities } from "../../../operator/cities/place.ts";
import { forecast, newcomers, suppose } from "../../../plugin/plan.ts";
import { cityOf } from "../../support/cities.ts";
import { NOW_MS, cityView, fenceView, fleetView, workerView } from "../../support/fleet.ts";

/** Held and ticking for long. */
const held = (name: string, holder: string, fields: Parameters<typeof cityView>[1] = {}) =>
  cityView(name, {
    holder,
    fence: fenceView({ holder, claimedAtMs: 1, committedAtMs: NOW_MS, advancedMs: NOW_MS }),
    ...fields,
  });
const nobody = { lost: [], drained: [], joined: [] };

describe("a forecast", () => {
  test("of a fleet as it should be moves nothing", () => {
    const view = fleetView({ cities: [held("madrid", "w1")], workers: [workerView("w1"), workerView("w2")] });
    expect(forecast(view)).toMatchObject({ moves: [], waits: [] });
  });

  test("brings the cities of a dead worker to those that are left, all of them at once", () => {
    const view = fleetView({
      cities: ["a", "b", "c", "d"].map((name, index) => held(name, `w${(index % 2) + 1}`)),
      workers: [workerView("w1"), workerView("w2"), workerView("w3")],
    });
    const { moves } = forecast(suppose(view, { ...nobody, lost: ["w1"] }));
    expect(moves).toEqual([
      { city: "a", from: "w1", to: "w3", because: "holder-gone", afterSeconds: 0 },
      { city: "c", from: "w1", to: "w3", because: "holder-gone", afterSeconds: 0 },
    ]);
  });

  test("knows the brake: when most workers die at once, nothing is moved for ten seconds", () => {
    const view = fleetView({
      cities: [held("a", "w1"), held("b", "w2")],
      workers: [workerView("w1"), workerView("w2"), workerView("w3")],
    });
    const { moves } = forecast(suppose(view, { ...nobody, lost: ["w1", "w2"] }));
    expect(moves.map(({ city, to, afterSeconds }) => [city, to, afterSeconds])).toEqual([
      ["a", "w3", 10],
      ["b", "w3", 10],
    ]);
  });

  test("gives newcomers their share at the rate that the operator allows itself for balance", () => {
    const cities = Array.from({ length: 24 }, (_, index) => held(`c${index + 10}`, `w${(index % 2) + 1}`));
    const view = fleetView({ cities, workers: [workerView("w1"), workerView("w2", { zone: "b" })] });
    const { moves, after } = forecast(suppose(view, { ...nobody, joined: newcomers(view, "default", 2) }));
    expect(new Set(moves.map(({ because }) => because))).toEqual(new Set(["balance"]));
    expect(moves.filter(({ afterSeconds }) => afterSeconds === 0)).toHaveLength(4);
    expect(moves.filter(({ afterSeconds }) => afterSeconds === 1)).toHaveLength(2);
    const counts = ["w1", "w2", "new-1", "new-2"].map(
      (worker) => after.cities.filter(({ lease }) => lease?.worker === worker).length,
    );
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    expect(new Set(["new-1", "new-2"].map((worker) => after.workers.get(worker)?.zone))).toEqual(
      new Set(["a", "b"]),
    );
  });

  test("says which cities would have nowhere to go", () => {
    const view = fleetView({ cities: [held("madrid", "w1")], workers: [workerView("w1")] });
    expect(forecast(suppose(view, { ...nobody, drained: ["w1"] }))).toMatchObject({
      moves: [],
      waits: [{ city: "madrid", because: "no-successor" }],
    });
  });

  test("does not tear a pinned city from its worker", () => {
    const city = cityOf("a", { pin: { worker: "w1", until: "2026-07-01T20:30:00Z" } });
    const cities = [held("a", "w1", { city }), held("b", "w1"), held("c", "w1")];
    const view = fleetView({ cities, workers: [workerView("w1"), workerView("w2")] });
    expect(forecast(view).moves.map(({ city: name }) => name)).not.toContain("a");
  });

  const anyFleet = fc.record({
    holders: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
    lost: fc.integer({ min: 0, max: 3 }),
  });

  test("begins with the operator's own decisions and ends where the operator would change nothing", () => {
    fc.assert(
      fc.property(anyFleet, ({ holders, lost }) => {
        const workers = [0, 1, 2, 3].map((index) => workerView(`w${index}`));
        const cities = holders.map((holder, index) => held(`c${index + 10}`, `w${holder}`));
        const supposed = suppose(fleetView({ cities, workers }), { ...nobody, lost: [`w${lost}`] });
        const { moves, after } = forecast(supposed);
        const decisions = placeCities({ ...supposed, shedBudget: 4 });
        const first = [...decisions].flatMap(([city, decision]) =>
          decision.kind === "assign" ? [[city, decision.worker, decision.because]] : [],
        );
        const foretold = moves
          .filter(({ afterSeconds }) => afterSeconds === 0)
          .map(({ city, to, because }) => [city, to, because]);
        expect(new Set(foretold)).toEqual(new Set(first));
        expect([...placeCities(after).values()].filter(({ kind }) => kind !== "keep")).toEqual([]);
      }),
    );
  });
});
