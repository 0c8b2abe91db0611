import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createKubeClient, type KubeClient } from "../../../runtime/kube/client.ts";
import { LEASES, NAMESPACES } from "../../../runtime/kube/resources.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { kubeClientContract } from "../../support/kube-contract.ts";
import { START_LIMIT_MS, startTestApiServer, type TestApiServer } from "../../support/kube.ts";
import { createTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { happensWithin } from "../../support/until.ts";

let api: TestApiServer;
let client: KubeClient;
let namespaces = 0;
const signal = (): AbortSignal => AbortSignal.timeout(20_000);

beforeAll(async () => {
  api = await startTestApiServer({ users: [{ name: "nobody", groups: ["nothing"] }] });
  client = createKubeClient({ kubeconfig: { kind: "file", path: api.kubeconfigPath } });
}, START_LIMIT_MS);

afterAll(async () => {
  await client.close();
  await api.stop();
});

kubeClientContract("the real API server", {
  client: () => client,
  async namespace() {
    const name = `test-${++namespaces}`;
    await client.create(NAMESPACES, { metadata: { name } }, signal());
    return name;
  },
});

describe("the client", () => {
  test("says which version the API server has", async () => {
    expect(await client.version(signal())).toMatchObject({
      major: "1",
      gitVersion: expect.stringMatching(/^v1\./),
    });
  });

  test("gives up with the API server's own words on what is invalid", async () => {
    const invalid = client.create(
      LEASES,
      { metadata: { namespace: "default", name: "Not_A_Name" } },
      signal(),
    );
    await expect(invalid).rejects.toMatchObject({
      code: "kube-invalid",
      remedy: "give-up",
      message: expect.stringContaining("RFC 1123"),
    });
  });

  test("does not take a resource that is not served for an object that is not there", async () => {
    const cities = {
      group: "dispatch.city",
      version: "v9",
      plural: "cities",
      kind: "City",
      namespaced: true,
    };
    const ref = { namespace: "default", name: "madrid" };
    await expect(client.get(cities, ref, signal())).rejects.toMatchObject({ code: "kube-not-found" });
    await expect(client.remove(cities, ref, signal())).rejects.toMatchObject({ code: "kube-not-found" });
  });

  test("tells what is forbidden from what is not authenticated", async () => {
    const nobody = createKubeClient({
      kubeconfig: { kind: "file", path: api.users["nobody"]!.kubeconfigPath },
    });
    await expect(nobody.list(LEASES, { namespace: "default" }, signal())).rejects.toMatchObject({
      code: "kube-forbidden",
      message: expect.stringContaining('User "nobody" cannot list'),
    });
    await nobody.close();
  });

  test("ends a watch in good order when its time is up, with a bookmark shortly before", async () => {
    const { resourceVersion } = await client.list(LEASES, { namespace: "default" }, signal());
    const kinds: string[] = [];
    const options = {
      namespace: "default",
      resourceVersion,
      timeoutSeconds: 4,
      allowBookmarks: true,
    } as const;
    for await (const event of client.watch(LEASES, options, signal())) {
      kinds.push(event.kind);
      // A bookmark is sent only when the resource has changed somewhere, be it in another namespace.
      const elsewhere = { metadata: { namespace: "kube-system", name: "elsewhere" } };
      if (event.kind === "opened") await client.create(LEASES, elsewhere, signal());
    }
    // How many bookmarks come before the end is the API server's to choose.
    expect(kinds[0]).toBe("opened");
    expect(new Set(kinds.slice(1))).toEqual(new Set(["bookmark"]));
  });
});

describe("the client's connections", () => {
  let proxy: TcpProxy;
  let distant: KubeClient;
  const ref = { namespace: "default", name: "none" };

  beforeEach(async () => {
    proxy = await createTcpProxy(Number(new URL(api.url).port));
    const kubeconfig = { kind: "file", path: await api.kubeconfigVia(proxy.port) } as const;
    distant = createKubeClient({ kubeconfig, connectionsMax: 1, requestTimeoutMs: 1_000 });
  });

  afterEach(async () => {
    await distant.close();
    await proxy.close();
  });

  test("are used again, not made for each request", async () => {
    for (let request = 0; request < 30; request++) await distant.get(LEASES, ref, signal());
    expect(proxy.acceptedCount).toBe(1);
  });

  test("of watches never make a request wait", async () => {
    const stop = new AbortController();
    const { resourceVersion } = await distant.list(LEASES, { namespace: "default" }, signal());
    const options = {
      namespace: "default",
      resourceVersion,
      timeoutSeconds: 60,
      allowBookmarks: true,
    } as const;
    const iterators = Array.from({ length: 5 }, () =>
      distant.watch(LEASES, options, stop.signal)[Symbol.asyncIterator](),
    );
    const opened = await Promise.all(iterators.map((iterator) => iterator.next()));
    expect(opened.map(({ value }) => (value as { kind: string }).kind)).toEqual(Array(5).fill("opened"));
    expect(await distant.get(LEASES, ref, signal())).toBeUndefined();
    for (const iterator of iterators) await iterator.return?.();
  });

  test("that break are an unreachable API server until they can be made again", async () => {
    await distant.get(LEASES, ref, signal());
    proxy.cut();
    await expect(distant.get(LEASES, ref, signal())).rejects.toMatchObject({
      code: "kube-unreachable",
      remedy: "retry",
    });
    proxy.heal();
    expect(await distant.get(LEASES, ref, signal())).toBeUndefined();
  });

  test("that fall silent cost one request its deadline, and no later one", async () => {
    await distant.get(LEASES, ref, signal());
    proxy.freeze();
    await expect(distant.get(LEASES, ref, signal())).rejects.toMatchObject({
      code: "kube-timeout",
      remedy: "retry",
    });
    proxy.heal();
    expect(await distant.get(LEASES, ref, signal())).toBeUndefined();
    expect(proxy.acceptedCount).toBe(2);
  });

  test("that are not made yet hold nobody who gives up, nor do requests in front", async () => {
    const kubeconfig = { kind: "file", path: await api.kubeconfigVia(proxy.port) } as const;
    const patient = createKubeClient({ kubeconfig, connectionsMax: 1, requestTimeoutMs: 60_000 });
    proxy.freeze();
    const stop = new AbortController();
    const options = {
      namespace: "default",
      resourceVersion: "1",
      timeoutSeconds: 60,
      allowBookmarks: true,
    } as const;
    const watch = patient.watch(LEASES, options, stop.signal);
    const waiting = [
      patient.get(LEASES, ref, stop.signal),
      patient.get(LEASES, ref, stop.signal),
      watch[Symbol.asyncIterator]().next(),
    ];
    await happensWithin(5_000, "a connection", async () => proxy.acceptedCount >= 2);
    stop.abort(new Error("given up"));
    const ends = Promise.allSettled(waiting);
    let hasEnded = false;
    void ends.then(() => (hasEnded = true));
    await happensWithin(5_000, "their end", async () => hasEnded);
    expect(await ends).toEqual(waiting.map(() => ({ status: "rejected", reason: new Error("given up") })));
    await patient.close();
  });
});

describe("the client's credentials", () => {
  test("are read again when the API server refuses them", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "city-operator-credentials-")), "kubeconfig");
    const valid = await readFile(api.kubeconfigPath, "utf8");
    await writeFile(path, valid.replace(api.token, "0123456789abcdef"));
    const clock = createFakeClock();
    const rotating = createKubeClient({ kubeconfig: { kind: "file", path }, clock });
    const list = async (): Promise<unknown> => rotating.list(LEASES, { namespace: "default" }, signal());
    await expect(list()).rejects.toMatchObject({ code: "kube-unauthorized", remedy: "give-up" });
    await writeFile(path, valid);
    await clock.advance(2_000);
    await expect(list()).resolves.toMatchObject({ items: expect.any(Array) });
    await rotating.close();
    await rm(dirname(path), { recursive: true });
  });

  test("that name no cluster are refused at once, with a sentence", () => {
    const kubeconfig = { kind: "file", path: "/nowhere/kubeconfig" } as const;
    expect(() => createKubeClient({ kubeconfig })).toThrow(/no usable kubeconfig: .*nowhere/);
    expect(() => createKubeClient({ kubeconfig: { kind: "in-cluster" } })).toThrow(
      /does not run inside a Pod/,
    );
  });
});
