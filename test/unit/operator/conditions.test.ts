import { describe, expect, test } from "@jest/globals";
import type { CityCondition, CityStatus } from "../../../crds/city.ts";
import { parseToken } from "../../../crds/token.ts";
import { describeCity } from "../../../operator/cities/conditions.ts";
import { placeCities } from "../../../operator/cities/place.ts";
import type { CityView, FleetView } from "../../../operator/cities/view.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { NOW_MS, cityView, fenceView, fleetView, leaseView, workerView } from "../../support/fleet.ts";

const NOW_ISO = "2026-01-01T12:00:00Z";

const ticking = fenceView({
  holder: "w1",
  tick: 41n,
  slotMs: Date.parse("2026-01-01T11:59:58.250Z"),
  committedAtMs: Date.parse("2026-01-01T11:59:58.300Z"),
  advancedMs: NOW_MS - 500,
});

function statusOf(city: CityView, fields: Partial<FleetView> = {}): CityStatus {
  const view = fleetView({
    cities: [city],
    workers: [workerView("w1")],
    fields,
  });
  return describeCity(city, placeCities(view).get(city.name)!, view, NOW_ISO);
}

function condition(status: CityStatus, type: CityCondition["type"]): CityCondition {
  return status.conditions!.find((candidate) => candidate.type === type)!;
}

describe("the status of a city", () => {
  test("that ticks says who holds it, under which token, and how far it is", () => {
    const status = statusOf(cityView("madrid", { holder: "w1", fence: ticking }));
    expect(status.assignment).toEqual({
      worker: "w1",
      token: "7",
      since: "2026-01-01T00:00:00Z",
      because: "new-city",
    });
    expect(status.progress).toEqual({
      tick: 41,
      slot: "2026-01-01T11:59:58.250Z",
      committedAt: "2026-01-01T11:59:58Z",
    });
    expect(condition(status, "Ready")).toMatchObject({
      status: "True",
      reason: "Ticking",
      observedGeneration: 1,
    });
  });

  test("is starting until its first tick, and then stalled when none comes", () => {
    const fresh = cityView("madrid", { holder: "w1", watchedSinceMs: NOW_MS - 1_000 });
    expect(condition(statusOf(fresh), "Ready")).toMatchObject({ status: "Unknown", reason: "Starting" });
    const stuck = cityView("madrid", { holder: "w1", watchedSinceMs: NOW_MS - 5_000 });
    expect(condition(statusOf(stuck), "Ready")).toMatchObject({ status: "False", reason: "Stalled" });
  });

  test("is stalled when its ticks no longer advance, and says where to look", () => {
    const stalled = cityView("madrid", {
      holder: "w1",
      fence: { ...ticking, advancedMs: NOW_MS - 6_000 },
      watchedSinceMs: 0,
    });
    const ready = condition(statusOf(stalled), "Ready");
    expect(ready).toMatchObject({ status: "False", reason: "Stalled" });
    expect(ready.message).toContain("see the log of w1");
  });

  test("gives a fresh beginning after trouble of the operator's own", () => {
    const city = cityView("madrid", {
      holder: "w1",
      fence: { ...ticking, advancedMs: NOW_MS - 60_000 },
      watchedSinceMs: NOW_MS - 1_000,
    });
    expect(condition(statusOf(city), "Dispatching").reason).toBe("Ticking");
  });

  test("without a worker says which pool needs one", () => {
    const status = statusOf(cityView("madrid", { pool: "big" }));
    expect(status.assignment).toBeUndefined();
    expect(condition(status, "Assigned")).toMatchObject({ status: "False", reason: "NoWorkers" });
    expect(condition(status, "Ready").message).toContain('pool "big"');
  });

  test("under a foreign authority names the cluster and the way out", () => {
    const ready = condition(
      statusOf(cityView("madrid"), { authority: { kind: "foreign", clusterUid: "other-uid", epoch: 2n } }),
      "Ready",
    );
    expect(ready).toMatchObject({ status: "False", reason: "ForeignAuthority" });
    expect(ready.message).toContain("other-uid");
    expect(ready.message).toContain("take-authority");
  });

  test("while MySQL is away does not accuse anybody", () => {
    const status = statusOf(cityView("madrid", { holder: "w1", fence: ticking }), {
      isDatabaseReachable: false,
    });
    expect(condition(status, "Dispatching")).toMatchObject({
      status: "Unknown",
      reason: "DatabaseUnreachable",
    });
    expect(condition(status, "Assigned").status).toBe("True");
  });

  test("is Suspended only when the fence is sealed with the Lease's token", () => {
    const city = cityOf("madrid", { suspend: true });
    const lease = leaseView({ token: parseToken("9"), task: taskOf(city) });
    const sealing = statusOf(cityView("madrid", { city, lease, fence: ticking }));
    expect(condition(sealing, "Suspended")).toMatchObject({ status: "False", reason: "Sealing" });
    const fence = { ...ticking, token: parseToken("9"), holder: undefined };
    const sealed = statusOf(cityView("madrid", { city, lease, fence }));
    expect(condition(sealed, "Suspended")).toMatchObject({ status: "True", reason: "Sealed" });
    expect(condition(sealed, "Ready")).toMatchObject({ status: "False", reason: "Suspended" });
    // Resumed and suspended again: the Lease of the first time is no proof for the second.
    const again = cityOf("madrid", { suspend: true }, { generation: 3 });
    const unproven = statusOf(cityView("madrid", { city: again, lease, fence }));
    expect(condition(unproven, "Suspended")).toMatchObject({ status: "False", reason: "Sealing" });
  });

  test("says who decides while an override is in force, and until when", () => {
    const until = "2026-07-01T20:30:00Z";
    const city = cityOf("madrid", { dispatcherOverride: { dispatcher: "greedy", until } });
    const before = taskOf(city, Date.parse(until) - 1);
    const after = taskOf(city, Date.parse(until));
    const during = statusOf(cityView("madrid", { city, holder: "w1", fence: ticking, task: before }));
    expect(condition(during, "Dispatching")).toMatchObject({
      status: "True",
      reason: "DispatcherOverridden",
      message: `a tick every 1s, decided by "greedy" in the place of "optimal" until ${until}`,
    });
    const ended = statusOf(cityView("madrid", { city, holder: "w1", fence: ticking, task: after }));
    expect(condition(ended, "Dispatching").reason).toBe("Ticking");
  });

  test("says why the worker that holds it does, and that it is pinned there", () => {
    const city = cityOf("madrid", { pin: { worker: "w1", until: "2026-07-01T20:30:00Z" } });
    const status = statusOf(cityView("madrid", { city, holder: "w1", fence: ticking }));
    expect(status.assignment?.because).toBe("new-city");
    expect(condition(status, "Assigned").message).toMatch(/, pinned there until 2026-07-01T20:30:00Z$/);
  });

  test("dates a condition anew only when its status changed", () => {
    const before = statusOf(cityView("madrid", { holder: "w1", fence: ticking }));
    const city = {
      ...cityOf("madrid"),
      status: {
        conditions: before.conditions!.map((candidate) => ({
          ...candidate,
          lastTransitionTime: "2025-12-31T00:00:00Z",
        })),
      },
    };
    const same = statusOf(cityView("madrid", { city, holder: "w1", fence: ticking }));
    expect(condition(same, "Ready").lastTransitionTime).toBe("2025-12-31T00:00:00Z");
    const stalled = statusOf(
      cityView("madrid", { city, holder: "w1", fence: { ...ticking, advancedMs: 0 }, watchedSinceMs: 0 }),
    );
    expect(condition(stalled, "Ready").lastTransitionTime).toBe(NOW_ISO);
    expect(condition(stalled, "Assigned").lastTransitionTime).toBe("2025-12-31T00:00:00Z");
  });
});
