import { afterEach, describe, expect, test } from "@jest/globals";
import { KubeError } from "../../../runtime/kube/kube-error.ts";
import { createReflector, type ReflectorInput } from "../../../runtime/kube/reflector.ts";
import { LEASES, type KubeObject } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createFakeKube } from "../../support/fake-kube.ts";

type Lease = KubeObject & { readonly spec?: { readonly holderIdentity?: string } };

const ends: (() => Promise<void>)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A reflector on a fake API server that has the Leases `names`; `seen` is what it reported, as "added a". */
async function setUp(names: readonly string[] = [], input: Partial<ReflectorInput<Lease>> = {}) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const { client } = kube;
  const seen: string[] = [];
  const ref = (name: string) => ({ namespace: "default", name });
  const create = async (name: string, labels = {}) =>
    client.create<Lease>(LEASES, { metadata: { ...ref(name), labels } }, never);
  const hold = async (name: string, holderIdentity: string) =>
    client.patch(LEASES, ref(name), { spec: { holderIdentity } }, never);
  const remove = async (name: string) => client.remove(LEASES, ref(name), never);
  for (const name of names) await create(name);
  const stop = new AbortController();
  const reflector = createReflector<Lease>({
    client,
    resource: LEASES,
    namespace: "default",
    clock,
    random: () => 0.5,
    log: silentLog,
    onChange: ({ kind, object }) => seen.push(`${kind} ${object.metadata.name}`),
    onSynced: () => seen.push("synced"),
    onLost: () => seen.push("lost"),
    onRegained: () => seen.push("regained"),
    ...input,
  });
  const running = reflector.run(stop.signal);
  ends.push(async () => {
    stop.abort(new Error("the test is over"));
    await running.catch(() => undefined);
    expect(clock.timerCount()).toBe(0);
  });
  await clock.settle();
  const news = (): string[] => seen.splice(0);
  const stored = (): string[] => reflector.list().map(({ metadata }) => metadata.name);
  return { clock, kube, reflector, running, create, hold, remove, news, stored };
}

describe("a reflector", () => {
  test("reports what is there, then that it is complete, then every change", async () => {
    const { clock, reflector, create, hold, remove, news } = await setUp(["a", "b"]);
    expect(news()).toEqual(["added a", "added b", "synced"]);
    expect(reflector.synced).toBe(true);
    await create("c");
    await hold("a", "w1");
    await remove("b");
    await clock.settle();
    expect(news()).toEqual(["added c", "updated a", "deleted b"]);
    expect(reflector.get("a")?.spec?.holderIdentity).toBe("w1");
    expect(reflector.get("b")).toBeUndefined();
  });

  test("reads long collections page by page", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `lease-${index}`);
    const { kube, news } = await setUp(names, { limits: { pageSize: 3 } });
    expect(news()).toHaveLength(8);
    expect(kube.calls.filter((call) => call === "list leases")).toHaveLength(3);
  });

  test("reports an object that ceases to match its selector as deleted", async () => {
    const { clock, kube, create, news } = await setUp([], { labelSelector: "worker=w1" });
    await create("a", { worker: "w1" });
    await create("b", { worker: "w2" });
    await clock.settle();
    expect(news()).toEqual(["synced", "added a"]);
    const relabel = { metadata: { labels: { worker: "w2" } } };
    await kube.client.patch(LEASES, { namespace: "default", name: "a" }, relabel, never);
    await clock.settle();
    expect(news()).toEqual(["deleted a"]);
  });

  test("lists again after its watch broke: what happened meanwhile is reported once", async () => {
    const { clock, kube, create, remove, news, stored } = await setUp(["a", "b"]);
    news();
    kube.breakWatches();
    await remove("a");
    await create("c");
    await clock.advance(200);
    expect(news()).toEqual(["lost", "deleted a", "added c", "regained"]);
    expect(stored()).toEqual(["b", "c"]);
    expect(kube.calls.filter((call) => call === "watch leases")).toHaveLength(2);
  });

  test("lists again when the API server has forgotten the history, without losing a deletion or inventing one", async () => {
    const { clock, kube, create, hold, remove, news, stored } = await setUp(["a", "b", "c", "d"]);
    news();
    kube.goAway();
    await clock.settle();
    kube.comeBack();
    await remove("a");
    await remove("b");
    await create("b");
    await hold("c", "w1");
    await create("e");
    kube.compact();
    await clock.advance(10_000);
    const reported = news();
    expect(reported.filter((text) => text !== "lost" && text !== "regained")).toEqual([
      "deleted a",
      "deleted b",
      "added b",
      "updated c",
      "added e",
    ]);
    expect(stored()).toEqual(["b", "c", "d", "e"]);
  });

  test("notices that history was rewritten, and takes nothing for known any more", async () => {
    const { clock, kube, reflector, create, hold, news } = await setUp(["a"]);
    const restore = kube.backup();
    await hold("a", "w1");
    await create("b");
    await clock.settle();
    news();
    kube.goAway();
    await clock.settle();
    restore();
    kube.comeBack();
    await hold("a", "w2");
    await clock.advance(1_000);
    expect(reflector.get("a")?.spec?.holderIdentity).toBe("w2");
    expect(news()).toEqual(["lost", "deleted b", "updated a", "regained"]);
  });

  test("opens a silent watch again, and finds what it had missed", async () => {
    const { clock, kube, create, news } = await setUp(["a"]);
    news();
    kube.muteWatches();
    await create("b");
    await clock.advance(89_000);
    expect(news()).toEqual([]);
    await clock.advance(1_500);
    expect(news()).toEqual(["lost", "added b", "regained"]);
  });

  test("does not believe its place in history after a silence in which etcd was restored and went on", async () => {
    const { clock, kube, reflector, create, hold } = await setUp(["a"]);
    const restore = kube.backup();
    await create("b");
    await hold("a", "w9");
    kube.muteWatches();
    restore();
    for (let turn = 0; turn < 5; turn++) await create(`c${turn}`);
    await clock.advance(90_500);
    expect(reflector.get("b")).toBeUndefined();
    expect(reflector.get("a")?.spec?.holderIdentity).not.toBe("w9");
  });

  test("is content with bookmarks, and begins after the last one", async () => {
    const { clock, kube, reflector, news } = await setUp(["a"]);
    news();
    await kube.client.create(LEASES, { metadata: { namespace: "elsewhere", name: "x" } }, never);
    for (let minute = 0; minute < 4; minute++) {
      kube.bookmark();
      await clock.advance(60_000);
    }
    expect(news()).toEqual([]);
    expect(reflector.resourceVersion).toBe("102");
    expect(clock.monotonicMs() - reflector.lastContactMs!).toBe(60_000);
  });

  test("says nothing about a watch that ended on time", async () => {
    const { clock, kube, create, news } = await setUp(["a"], {
      limits: { watchSecondsMin: 100, watchSecondsMax: 100, silenceLimitMs: 1_000_000 },
    });
    news();
    await clock.advance(100_000);
    kube.endWatches();
    await clock.advance(1);
    await create("b");
    await clock.settle();
    expect(news()).toEqual(["added b"]);
  });

  test("takes a watch that ends early for lost, as when a server shuts down", async () => {
    const { clock, kube, news } = await setUp(["a"]);
    news();
    kube.endWatches();
    await clock.advance(1_000);
    expect(news()).toEqual(["lost", "regained"]);
  });

  test("does not hammer an API server that is away", async () => {
    const { clock, kube, reflector } = await setUp(["a"]);
    kube.goAway();
    const before = kube.calls.length;
    await clock.advance(300_000);
    expect(kube.calls.length - before).toBeLessThan(130);
    expect(reflector.connected).toBe(false);
    expect(reflector.list()).toHaveLength(1);
    kube.comeBack();
    await clock.advance(30_000);
    expect(reflector.connected).toBe(true);
  });

  test("keeps trying when it may not even list, since rights are granted later", async () => {
    const forbidden = new KubeError({ code: "kube-forbidden", remedy: "give-up", message: "no" });
    const clock = createFakeClock();
    const kube = createFakeKube();
    kube.failNext(/^list/, forbidden);
    const stop = new AbortController();
    const reflector = createReflector({
      client: kube.client,
      resource: LEASES,
      clock,
      random: () => 0.5,
      log: silentLog,
      onChange: () => undefined,
    });
    const running = reflector.run(stop.signal);
    const synced = reflector.waitSynced(never);
    await clock.advance(1_000);
    await synced;
    stop.abort(new Error("the test is over"));
    await running;
  });

  test("does not survive a mistake of ours in a callback", async () => {
    const { clock, create, running } = await setUp([], {
      onChange: () => {
        throw new TypeError("x is undefined");
      },
    });
    const outcome = running.then(
      () => undefined,
      (error: Error) => error,
    );
    await create("a");
    await clock.settle();
    expect(await outcome).toMatchObject({ name: "AssertionError", cause: { message: "x is undefined" } });
  });
});
