import { cp, rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient, type KubeClient } from "../../../runtime/kube/client.ts";
import { createReflector, type Reflector, type ReflectorInput } from "../../../runtime/kube/reflector.ts";
import { LEASES, NAMESPACES, type KubeObject } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { createTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

type Lease = KubeObject & { readonly spec?: { readonly holderIdentity?: string } };

const WAIT_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 120_000;

let api: TestApiServer;
let proxy: TcpProxy;
/** Through the proxy, for the reflector. */
let distant: KubeClient;
let client: KubeClient;
let namespace: string;
let namespaces = 0;
const signal = (): AbortSignal => AbortSignal.timeout(WAIT_LIMIT_MS);

beforeAll(async () => {
  api = await startTestApiServer();
  client = createKubeClient({ kubeconfig: { kind: "file", path: api.kubeconfigPath } });
}, START_LIMIT_MS);

afterAll(async () => {
  await client.close();
  await api.stop();
});

beforeEach(async () => {
  proxy = await createTcpProxy(Number(new URL(api.url).port));
  const kubeconfig = { kind: "file", path: await api.kubeconfigVia(proxy.port) } as const;
  distant = createKubeClient({ kubeconfig, requestTimeoutMs: 1_000 });
  namespace = `test-${++namespaces}`;
  await client.create(NAMESPACES, { metadata: { name: namespace } }, signal());
});

let running: Promise<void> | undefined;
let stop = new AbortController();

afterEach(async () => {
  stop.abort(new Error("the test is over"));
  await running;
  await distant.close();
  await proxy.close();
});

/** A running reflector through the proxy; `reported` is what somebody has who only listens to its reports. */
async function start(limits: ReflectorInput<Lease>["limits"] = {}) {
  stop = new AbortController();
  const reported = new Map<string, Lease>();
  const seen: string[] = [];
  const reflector = createReflector<Lease>({
    client: distant,
    resource: LEASES,
    namespace,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    limits,
    onChange({ kind, object }) {
      seen.push(`${kind} ${object.metadata.name}`);
      if (kind === "deleted") reported.delete(object.metadata.name);
      else reported.set(object.metadata.name, object);
    },
  });
  running = reflector.run(stop.signal);
  await reflector.waitSynced(signal());
  await until(() => reflector.connected, signal());
  const news = (): string[] => seen.splice(0);
  return { reflector, reported, news };
}

const ref = (name: string) => ({ namespace, name });
const create = async (name: string): Promise<Lease> =>
  client.create<Lease>(LEASES, { metadata: ref(name) }, signal());
const hold = async (name: string, holderIdentity: string): Promise<Lease> =>
  client.patch<Lease>(LEASES, ref(name), { spec: { holderIdentity } }, signal());
const remove = async (name: string): Promise<unknown> => client.remove(LEASES, ref(name), signal());

async function untilSame({
  reflector,
  reported,
}: {
  reflector: Reflector<Lease>;
  reported: Map<string, Lease>;
}) {
  const { items } = await client.list<Lease>(LEASES, { namespace }, signal());
  const versions = (objects: Iterable<Lease>): string[] =>
    [...objects]
      .map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`)
      .toSorted();
  const wanted = versions(items);
  await until(() => versions(reflector.list()).join() === wanted.join(), signal());
  expect(versions(reported.values())).toEqual(wanted);
}

describe("a reflector on the real API server", () => {
  test("reads a long collection in pages and follows it", async () => {
    await Promise.all(Array.from({ length: 25 }, (_, index) => create(`lease-${index}`)));
    const copy = await start({ pageSize: 10 });
    expect(copy.reflector.list()).toHaveLength(25);
    await hold("lease-3", "w1");
    await remove("lease-4");
    await create("one-more");
    await untilSame(copy);
  });

  test("reports an object that was replaced during a gap as deleted and added", async () => {
    await create("a");
    const { reflector, news } = await start();
    news();
    proxy.cut();
    await remove("a");
    const { metadata } = await create("a");
    proxy.heal();
    await until(() => reflector.get("a")?.metadata.uid === metadata.uid, signal());
    expect(news()).toEqual(["deleted a", "added a"]);
  });

  test(
    "has lost nothing and invents nothing when the API server has forgotten the history of a gap",
    async () => {
      for (const name of ["stays", "goes", "is-replaced", "changes"]) await create(name);
      const copy = await start();
      copy.news();
      proxy.cut();
      await remove("goes");
      await remove("is-replaced");
      await create("is-replaced");
      await hold("changes", "w1");
      await create("comes");
      // A restarted API server remembers no history from before its start: it answers the old watch with 410.
      await api.restartApiServer();
      proxy.heal();
      await untilSame(copy);
      expect(copy.news().toSorted()).toEqual([
        "added comes",
        "added is-replaced",
        "deleted goes",
        "deleted is-replaced",
        "updated changes",
      ]);
    },
    TEST_LIMIT_MS,
  );

  test(
    "recovers from an API server that is killed again and again while the collection changes",
    async () => {
      const copy = await start();
      for (let round = 0; round < 2; round++) {
        const writing = new AbortController();
        const writer = (async () => {
          for (let turn = 0; !writing.signal.aborted; turn++) {
            const name = `lease-${turn % 7}`;
            // Whatever fails here fails because the API server is away.
            await (turn % 3 === 0 ? remove(name) : create(name).catch(() => hold(name, String(turn)))).catch(
              () => undefined,
            );
            await systemClock.sleep(5, signal());
          }
        })();
        await systemClock.sleep(300, signal());
        await api.restartApiServer();
        await systemClock.sleep(300, signal());
        writing.abort();
        await writer;
        await untilSame(copy);
      }
    },
    TEST_LIMIT_MS,
  );

  test("opens a watch again over which nothing comes any more", async () => {
    const copy = await start({ silenceLimitMs: 500 });
    proxy.freeze();
    await create("unseen");
    await systemClock.sleep(1_000, signal());
    expect(copy.reflector.get("unseen")).toBeUndefined();
    proxy.heal();
    await untilSame(copy);
  });

  test(
    "notices an etcd that was restored from backup, though the API server says nothing of it",
    async () => {
      await create("a");
      const copy = await start();
      let backup = "";
      await api.whileStopped(async (etcdDirectory) => {
        backup = `${etcdDirectory}.backup`;
        await cp(etcdDirectory, backup, { recursive: true });
      });
      for (let turn = 0; turn < 50; turn++) await hold("a", `w${turn}`);
      await create("b");
      await untilSame(copy);
      const before = BigInt(copy.reflector.resourceVersion!);
      await api.whileStopped(async (etcdDirectory) => {
        await rm(etcdDirectory, { recursive: true });
        await cp(backup, etcdDirectory, { recursive: true });
      });
      await untilSame(copy);
      expect(copy.reflector.get("b")).toBeUndefined();
      expect(BigInt((await hold("a", "after-restore")).metadata.resourceVersion!)).toBeLessThan(before);
      await untilSame(copy);
      expect(copy.reflector.get("a")?.spec?.holderIdentity).toBe("after-restore");
    },
    TEST_LIMIT_MS,
  );
});
