import { expect, test } from "@jest/globals";
import { encodeAssignment } from "../../../crds/lease.ts";
import { CityViews, type Gathered } from "../../../operator/city-views.ts";
import { cityOf, CLUSTER_UID, taskOf } from "../../support/cities.ts";
import { fenceView } from "../../support/fleet.ts";

function gathered(fields: Partial<Gathered> = {}): Gathered {
  const city = cityOf("madrid");
  return {
    city,
    lease: leaseOf("w1", "7"),
    progress: { fence: { city: "madrid", changedAtMs: 1, ...fenceView() }, advancedMs: 1 },
    epoch: 1n,
    ...fields,
  };
}

function leaseOf(worker: string, resourceVersion: string) {
  const city = cityOf("madrid");
  const lease = encodeAssignment({ city, worker, task: taskOf(city), replaces: undefined, nowMs: 0 });
  return { ...lease, metadata: { ...lease.metadata, resourceVersion } };
}

const DAY_MS = Date.parse("2026-07-01T20:00:00Z");
const at = (nowMs: number) => ({ nowMs, wallMs: DAY_MS + nowMs });

test("a City of which nothing changed keeps its view, however much time passes", () => {
  const views = new CityViews(CLUSTER_UID);
  const same = gathered();
  expect(views.viewOf({ ...same }, at(2_000))).toBe(views.viewOf(same, at(1_000)));
});

test("every part of it that changes makes a new view", () => {
  const views = new CityViews(CLUSTER_UID);
  const before = gathered();
  const changes: readonly Partial<Gathered>[] = [
    { city: cityOf("madrid", { suspend: true }) },
    { lease: leaseOf("w2", "8") },
    { lease: undefined },
    { progress: undefined },
    { epoch: 2n },
  ];
  for (const change of changes) {
    const view = views.viewOf(before, at(1_000));
    expect(views.viewOf({ ...before, ...change }, at(1_000))).not.toBe(view);
  }
});

test("what a person asked for until a time ends in the view at that time, without a change of the City", () => {
  const views = new CityViews(CLUSTER_UID);
  const until = (ms: number): string => new Date(DAY_MS + ms).toISOString();
  const city = cityOf("madrid", {
    pin: { worker: "w2", until: until(5_000) },
    dispatcherOverride: { dispatcher: "greedy", until: until(6_000) },
  });
  const same = gathered({ city });
  const seenAt = (nowMs: number) => {
    const { pinnedWorker, task } = views.viewOf(same, at(nowMs));
    return [pinnedWorker, task.dispatcher];
  };
  expect([4_999, 5_000, 5_999, 6_000].map(seenAt)).toEqual([
    ["w2", "greedy"],
    [undefined, "greedy"],
    [undefined, "greedy"],
    [undefined, "optimal"],
  ]);
  expect(views.viewOf(same, at(8_000))).toBe(views.viewOf(same, at(7_000)));
});

test("a move and a fresh look show in the view", () => {
  const views = new CityViews(CLUSTER_UID);
  const same = gathered();
  expect(views.viewOf(same, at(1_000))).toMatchObject({ movedMs: undefined, watchedSinceMs: 1_000 });
  views.moved("madrid", 2_000);
  expect(views.viewOf(same, at(3_000))).toMatchObject({ movedMs: 2_000, watchedSinceMs: 1_000 });
  views.watchAfresh(4_000);
  expect(views.viewOf(same, at(5_000))).toMatchObject({ movedMs: 2_000, watchedSinceMs: 4_000 });
});

test("an assignment dates from when its token was first seen", () => {
  const views = new CityViews(CLUSTER_UID);
  expect(views.viewOf(gathered(), at(1_000)).assignedMs).toBe(1_000);
  expect(views.viewOf(gathered(), at(2_000)).assignedMs).toBe(1_000);
  expect(views.viewOf(gathered({ lease: leaseOf("w1", "8") }), at(3_000)).assignedMs).toBe(3_000);
});

test("a Lease that carries the City's task as it is now holds that very task", () => {
  const view = new CityViews(CLUSTER_UID).viewOf(gathered(), at(1_000));
  expect(view.lease?.task).toBe(view.task);
});
