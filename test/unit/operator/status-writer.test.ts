import { expect, test } from "@jest/globals";
import { CITIES, type City, type CityStatus } from "../../../crds/city.ts";
import { createStatusWriter } from "../../../operator/cities/status-writer.ts";
import { requireVersion } from "../../../operator/cluster.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import { KubeError } from "../../../runtime/kube/kube-error.ts";
import { silentLog } from "../../../runtime/log.ts";
import { cityOf } from "../../support/cities.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

function statusOf(tick: number, reason = "Ticking"): CityStatus {
  return {
    observedGeneration: 1,
    progress: { tick, slot: "2026-01-01T00:00:00.000Z", committedAt: "2026-01-01T00:00:00Z" },
    conditions: [
      {
        type: "Ready",
        status: reason === "Ticking" ? "True" : "False",
        reason,
        message: "",
        observedGeneration: 1,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
  };
}

async function setUp(count: number) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const signal = new AbortController().signal;
  const cities: City[] = [];
  for (let index = 0; index < count; index++) {
    const { metadata, ...rest } = cityOf(`c${index}`);
    const object = { ...rest, metadata: { name: metadata.name, namespace: "default" } };
    cities.push(await kube.client.create<City>(CITIES, object, signal));
  }
  const failed: string[] = [];
  let underWay = 0;
  let atOnce = 0;
  const patch: KubeClient["patch"] = async (...request) => {
    atOnce = Math.max(atOnce, ++underWay);
    return kube.client.patch<never>(...request).finally(() => {
      underWay -= 1;
    });
  };
  const writer = createStatusWriter({
    client: { ...kube.client, patch },
    resource: CITIES,
    clock,
    log: silentLog,
    progressWritesPerSecond: () => 20,
    onFailed: ({ metadata }) => failed.push(metadata.name),
  });
  const stop = new AbortController();
  let areActsWaiting = false;
  const running = writer.run(stop.signal, () => areActsWaiting);
  await clock.settle();
  kube.calls.length = 0;
  return {
    clock,
    writer,
    kube,
    failed,
    cities,
    actsWait: (areWaiting: boolean) => {
      areActsWaiting = areWaiting;
    },
    /** How many writes were under way at once, at the most. */
    atOnce: () => atOnce,
    writes: () => kube.calls.filter((call) => call.startsWith("patch")).length,
    stored: async (name: string) =>
      (await kube.client.get<City>(CITIES, { namespace: "default", name }, signal))?.status,
    end: async () => {
      stop.abort(new Error("the test is over"));
      await clock.advance(1_000);
      await running;
    },
  };
}

test("what changed for people is written at once", async () => {
  const { clock, writer, cities, stored, writes, end } = await setUp(30);
  for (const city of cities) writer.want(city, statusOf(1, "Stalled"));
  await clock.settle();
  await clock.settle();
  expect(writes()).toBe(30);
  expect(await stored("c29")).toEqual(statusOf(1, "Stalled"));
  await end();
});

test.each([
  ["eight at a time", false, 8],
  ["one at a time while acts wait", true, 1],
])("statuses are written %s", async (_, areWaiting, expected) => {
  const { clock, writer, cities, actsWait, writes, atOnce, end } = await setUp(16);
  actsWait(areWaiting);
  for (const city of cities) writer.want(city, statusOf(1, "Stalled"));
  for (let turn = 0; turn < 16; turn++) await clock.settle();
  expect(writes()).toBe(16);
  expect(atOnce()).toBe(expected);
  await end();
});

test("mere progress is written at a bounded rate for the whole fleet", async () => {
  const { clock, writer, cities, writes, end } = await setUp(100);
  for (const city of cities) writer.want(city, statusOf(1));
  await clock.advance(100);
  const first = writes();
  for (let second = 0; second < 10; second++) {
    for (const city of cities) writer.want(city, statusOf(2 + second));
    await clock.advance(1_000);
  }
  expect(first).toBe(100);
  expect(writes() - first).toBeGreaterThanOrEqual(190);
  expect(writes() - first).toBeLessThanOrEqual(221);
  await end();
});

test("what is there already is not written again", async () => {
  const { clock, writer, cities, writes, end } = await setUp(1);
  writer.want(cities[0]!, statusOf(1));
  await clock.advance(1_000);
  for (let again = 0; again < 5; again++) writer.want(cities[0]!, statusOf(1));
  await clock.advance(1_000);
  expect(writes()).toBe(1);
  await end();
});

test("who hands a status over is told when it could not be written", async () => {
  const { clock, writer, cities, kube, failed, stored, end } = await setUp(2);
  kube.failNext(
    /^patch cities\/c1/,
    new KubeError({ code: "kube-unreachable", remedy: "retry", message: "away" }),
  );
  for (const city of cities) writer.want(city, statusOf(1, "Stalled"));
  await clock.settle();
  expect(failed).toEqual(["c1"]);
  writer.want(cities[1]!, statusOf(1, "Stalled"));
  await clock.settle();
  expect(await stored("c1")).toEqual(statusOf(1, "Stalled"));
  await end();
});

test("an assignment that ended is taken out of the status", async () => {
  const { clock, writer, cities, stored, end } = await setUp(1);
  const assignment = { worker: "w1", token: "7", since: "2026-01-01T00:00:00Z", because: "new-city" };
  writer.want(cities[0]!, { ...statusOf(1), assignment });
  await clock.advance(1_000);
  expect((await stored("c0"))?.assignment).toEqual(assignment);
  writer.want(cities[0]!, statusOf(1));
  await clock.advance(1_000);
  expect(await stored("c0")).not.toHaveProperty("assignment");
  await end();
});

test("Kubernetes before 1.35 is refused with the reason", () => {
  const version = (major: string, minor: string) => ({ major, minor, gitVersion: `v${major}.${minor}.0` });
  expect(() => requireVersion(version("1", "34"))).toThrow(/v1\.34\.0; City operator needs 1\.35 or later/);
  expect(() => requireVersion(version("1", "35"))).not.toThrow();
  expect(() => requireVersion(version("1", "36+"))).not.toThrow();
  expect(() => requireVersion(version("2", "0"))).not.toThrow();
});
