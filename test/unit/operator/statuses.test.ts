import { expect, test } from "@jest/globals";
import type { Decision } from "../../../operator/cities/place.ts";
import { Statuses } from "../../../operator/cities/statuses.ts";
import type { CityView, FleetView } from "../../../operator/cities/view.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { cityView, fenceView, fleetView, NOW_MS, workerView } from "../../support/fleet.ts";

const KEEP: Decision = { kind: "keep" };
const city = cityView("madrid", { holder: "w1", fence: fenceView({ holder: "w1", advancedMs: NOW_MS }) });

function setUp() {
  const reasons: (string | undefined)[] = [];
  const statuses = new Statuses({
    clock: createFakeClock(),
    writer: {
      want: (_city, { conditions }) => reasons.push(conditions?.find(({ type }) => type === "Ready")?.reason),
    },
  });
  const describe = (view: CityView, decision: Decision = KEEP, fields: Partial<FleetView> = {}) =>
    statuses.describe(view, decision, fleetView({ cities: [view], workers: [workerView("w1")], fields }));
  return { statuses, reasons, describe };
}

test("a City of which nothing changed is described once", () => {
  const { reasons, describe } = setUp();
  describe(city);
  describe(city);
  expect(reasons).toEqual(["Ticking"]);
});

test("time alone makes a City stall, and its status say so", () => {
  const { reasons, describe } = setUp();
  describe(city);
  describe(city, KEEP, { nowMs: NOW_MS + city.stallAfterMs });
  expect(reasons).toEqual(["Ticking", "Stalled"]);
});

test("trouble that no City's view shows is described: the database, the authority, what it waits for", () => {
  const { reasons, describe } = setUp();
  describe(city);
  describe(city, KEEP, { isDatabaseReachable: false });
  describe(city, KEEP, { authority: { kind: "foreign", clusterUid: "other", epoch: 2n } });
  describe(city, { kind: "wait", because: "no-workers" });
  expect(reasons).toEqual(["Ticking", "DatabaseUnreachable", "ForeignAuthority", "NoWorkers"]);
});

test("what is said of another worker follows that worker, though nothing of the City changed", () => {
  const said: (string | undefined)[] = [];
  const statuses = new Statuses({
    clock: createFakeClock(),
    writer: {
      want: (_city, { conditions }) =>
        said.push(conditions?.find(({ type }) => type === "Assigned")?.message.split(", ")[1]),
    },
  });
  const pinned = { ...city, pinnedWorker: "w2" };
  for (const liveness of ["late", "late", "draining"] as const) {
    const workers = [workerView("w1"), workerView("w2", { liveness })];
    const view = fleetView({ cities: [pinned], workers });
    statuses.describe(pinned, { kind: "wait", because: "pinned-elsewhere" }, view);
  }
  expect(said).toEqual(["which is late; w1 holds it meanwhile", "which is draining; w1 holds it meanwhile"]);
});

test("a status that may have been lost is handed over again", () => {
  const { statuses, reasons, describe } = setUp();
  describe(city);
  statuses.forget(city.city);
  describe(city);
  statuses.forgetAll();
  describe(city);
  expect(reasons).toHaveLength(3);
});

test("a City without our finalizer gets no status yet", () => {
  const { reasons, describe } = setUp();
  describe(city, { kind: "adopt" });
  expect(reasons).toEqual([]);
  describe(city);
  expect(reasons).toEqual(["Ticking"]);
});
