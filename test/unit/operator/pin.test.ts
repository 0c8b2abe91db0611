import { describe, expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import { describeCity } from "../../../operator/cities/conditions.ts";
import { placeCities } from "../../../operator/cities/place.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import {
  NOW_MS,
  cityView,
  decide,
  fenceView,
  fleetView,
  leaseView,
  workerView,
} from "../../support/fleet.ts";

const until = "2026-07-01T20:30:00Z";
const pinnedTo = (worker: string) => cityOf("madrid", { pin: { worker, until } });
const held = (worker: string, pin: string) => cityView("madrid", { city: pinnedTo(pin), holder: worker });
const away = { kind: "wait", because: "pinned-elsewhere" };

describe("a pinned city", () => {
  test("is moved to its worker, called by its id or by its Pod", () => {
    const workers = [workerView("w1"), workerView("w2-abcdef", { pod: "w2" })];
    const there = { madrid: { kind: "assign", worker: "w2-abcdef", because: "pinned" } };
    expect(decide([held("w1", "w2")], workers)).toEqual(there);
    expect(decide([held("w1", "w2-abcdef")], workers)).toEqual(there);
  });

  test("is moved by one write, although the pin is a change of its specification as well", () => {
    const city = pinnedTo("w2");
    const lease = leaseView({ worker: "w1", task: taskOf(cityOf("madrid", {}, { generation: 7 })) });
    expect(decide([cityView("madrid", { city, lease })], [workerView("w1"), workerView("w2")])).toEqual({
      madrid: { kind: "assign", worker: "w2", because: "pinned" },
    });
  });

  test("stays where it is pinned, however uneven that makes the workers", () => {
    const cities = ["a", "b", "c", "d"].map((name) =>
      cityView(name, { city: cityOf(name, { pin: { worker: "w1", until } }), holder: "w1" }),
    );
    const decisions = decide(cities, [workerView("w1"), workerView("w2")], { shedBudget: 10 });
    expect(Object.values(decisions)).toEqual(cities.map(() => ({ kind: "keep" })));
  });

  test.each([
    ["is not there", []],
    ["is draining", [workerView("w2", { liveness: "draining" })]],
    ["is late", [workerView("w2", { liveness: "late" })]],
    ['is in pool "other", not in "default"', [workerView("w2", { pool: "other" })]],
    ["cannot take it now", [workerView("w2", { isDatabaseReachable: false })]],
  ] as const)("stays with its holder while its worker %s, and says so", (why, others) => {
    const city = held("w1", "w2");
    const view = fleetView({ cities: [city], workers: [workerView("w1"), ...others] });
    const decision = placeCities(view).get("madrid")!;
    expect(decision).toEqual(away);
    const { conditions } = describeCity(city, decision, view, "2026-01-01T00:00:00Z");
    expect(conditions?.find(({ type }) => type === "Assigned")).toMatchObject({
      status: "True",
      reason: "PinnedElsewhere",
      message: `spec.pin wants worker w2, which ${why}; w1 holds it meanwhile`,
    });
  });

  test.each(["gone", "draining"] as const)("does not wait for its worker when that is %s", (liveness) => {
    const workers = [workerView("w1", { liveness }), workerView("w2")];
    expect(decide([held("w1", "w1")], workers)["madrid"]).toMatchObject({ kind: "assign", worker: "w2" });
  });

  test("that stalls leaves the worker it is pinned to, and is not brought back there", () => {
    const stalled = cityView("madrid", {
      city: pinnedTo("w1"),
      holder: "w1",
      watchedSinceMs: NOW_MS - 60_000,
    });
    const workers = [workerView("w1"), workerView("w2"), workerView("w3")];
    expect(decide([stalled], workers)["madrid"]).toMatchObject({ kind: "assign", because: "stalled" });
    const city = pinnedTo("w1");
    const lease = leaseView({ worker: "w2", task: taskOf(city), setbacks: 1 });
    expect(decide([cityView("madrid", { city, lease })], workers)["madrid"]).toEqual(away);
  });

  test("goes to its worker when it needs one anyway, also from an older version", () => {
    const workers = [workerView("w1"), workerView("w2"), workerView("w3", { version: "2" })];
    const city = cityView("madrid", { city: pinnedTo("w2") });
    expect(decide([city], workers)["madrid"]).toEqual({ kind: "assign", worker: "w2", because: "new-city" });
  });

  test("that is suspended has no holder, pin or not", () => {
    const city = cityOf("madrid", { suspend: true, pin: { worker: "w2", until } });
    const lease = leaseView({ token: parseToken("9"), task: taskOf(city) });
    const fence = fenceView({ token: parseToken("9") });
    expect(decide([cityView("madrid", { city, lease, fence })], [workerView("w2")])["madrid"]).toEqual({
      kind: "keep",
    });
  });
});
