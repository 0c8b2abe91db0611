import { CITIES } from "../../../crds/city.ts";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { encodeAssignment, type Lease } from "../../../crds/lease.ts";
import { Fleet } from "../../../operator/fleet.ts";
import { Progress } from "../../../operator/progress/progress.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { cityOf, taskOf } from "../../support/cities.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { createFakeKube, type FakeKube } from "../../support/fake-kube.ts";

const never = new AbortController().signal;

describe("what the operator knows of a City's Lease", () => {
  let clock: FakeClock;
  let kube: FakeKube;
  let fleet: Fleet;
  let stop: AbortController;
  let running: Promise<void>;
  const startMs = createFakeClock().wallMs();
  const until = (ms: number) => new Date(startMs + ms).toISOString();
  const city = cityOf("madrid", {
    dispatcherOverride: { dispatcher: "greedy", until: until(60_000) },
    pin: { worker: "w1", until: until(30_000) },
  });

  beforeEach(async () => {
    clock = createFakeClock();
    kube = createFakeKube();
    stop = new AbortController();
    fleet = new Fleet({
      client: kube.client,
      clock,
      random: () => 0.5,
      log: silentLog,
      namespace: "default",
      clusterUid: "cluster",
      progress: new Progress(),
      onChange: () => undefined,
      onSpecified: () => undefined,
      onCityGone: () => undefined,
      onRewritten: () => undefined,
    });
    await kube.elsewhere.create(CITIES, city, never);
    running = fleet.run(stop.signal);
    await clock.advance(10);
  });

  afterEach(async () => {
    stop.abort(new Error("the test is over"));
    await running;
  });

  async function write(worker: string): Promise<Lease> {
    const city = cityOf("madrid");
    const replaces = await kube.elsewhere.get<Lease>(
      LEASES,
      { namespace: "default", name: "city-madrid" },
      never,
    );
    const next = encodeAssignment({ city, worker, task: taskOf(city), replaces, nowMs: 0 });
    return replaces === undefined
      ? kube.elsewhere.create<Lease>(LEASES, next, never)
      : kube.elsewhere.replace<Lease>(LEASES, next, never);
  }

  const holder = () => fleet.leaseOf("madrid")?.spec?.holderIdentity;

  test("and of its mitigations ends when they end, with no change of the City", async () => {
    const seen = () => {
      const { fleet: view } = fleet.view({
        authority: { kind: "ours", epoch: 1n },
        shedBudget: 0,
        takeoverBudget: 0,
      });
      return [view.cities[0]?.task.dispatcher, view.cities[0]?.pinnedWorker];
    };
    expect(seen()).toEqual(["greedy", "w1"]);
    await clock.advance(30_000);
    expect(seen()).toEqual(["greedy", undefined]);
    await clock.advance(30_000);
    expect(seen()).toEqual(["optimal", undefined]);
  });

  test("is its own write until the watch has come so far", async () => {
    await write("w1");
    await clock.advance(10);
    kube.muteWatches();
    fleet.wrote("madrid", await write("w2"), true);
    expect(holder()).toBe("w2");
  });

  test("is what the watch shows once that has come past its own write", async () => {
    await write("w1");
    await clock.advance(10);
    fleet.wrote("madrid", await write("w2"), true);
    await write("w3");
    await clock.advance(10);
    expect(holder()).toBe("w3");
  });

  test("is what a list shows that comes from a history which has lost its own write, and has grown past it", async () => {
    await write("w1");
    await clock.advance(10);
    const restore = kube.backup();
    kube.muteWatches();
    fleet.wrote("madrid", await write("w2"), true);
    restore();
    for (let turn = 0; turn < 5; turn++) {
      await kube.elsewhere.create(
        LEASES,
        { metadata: { namespace: "default", name: `other-${turn}` } },
        never,
      );
    }
    kube.breakWatches();
    await clock.advance(10_000);
    expect(holder()).toBe("w1");
  });
});
