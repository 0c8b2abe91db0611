import { describe, expect, test } from "@jest/globals";
import type { KubeClient } from "../../runtime/kube/kube-api.ts";
import { LEASES, type KubeObject } from "../../runtime/kube/resources.ts";
import type { WatchEvent } from "../../runtime/kube/watch.ts";

/** What everything that stands on a KubeClient may count on: holds for the real API server and for the fake one. */

type Lease = KubeObject & { readonly spec: { readonly holderIdentity?: string } };

const LIMIT_MS = 20_000;

/** `namespace` gives a fresh one that exists, for each test. */
export function kubeClientContract(
  name: string,
  input: { readonly client: () => KubeClient; readonly namespace: () => Promise<string> },
): void {
  const lease = (namespace: string, leaseName: string, holderIdentity = "someone"): Lease => ({
    metadata: { namespace, name: leaseName, labels: { part: leaseName.slice(0, 1) } },
    spec: { holderIdentity },
  });
  const setUp = async () => ({
    client: input.client(),
    namespace: await input.namespace(),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const codeOf = async (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      (value) => `no error, but ${JSON.stringify(value)}`,
      (error: Error & { code?: string }) => error.code ?? error.message,
    );

  describe(name, () => {
    test("gives a created object an identity and a version, and reads it back the same", async () => {
      const { client, namespace, signal } = await setUp();
      const created = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      expect(created.metadata.uid).toEqual(expect.any(String));
      expect(created.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
      expect(await client.get<Lease>(LEASES, { namespace, name: "a" }, signal)).toMatchObject({
        kind: "Lease",
        metadata: created.metadata,
        spec: { holderIdentity: "someone" },
      });
    });

    test("answers a read of what is not there with undefined, and a removal with absent", async () => {
      const { client, namespace, signal } = await setUp();
      expect(await client.get(LEASES, { namespace, name: "none" }, signal)).toBeUndefined();
      expect(await client.remove(LEASES, { namespace, name: "none" }, signal)).toBe("absent");
    });

    test("refuses to create what exists", async () => {
      const { client, namespace, signal } = await setUp();
      await client.create(LEASES, lease(namespace, "a"), signal);
      expect(await codeOf(client.create(LEASES, lease(namespace, "a"), signal))).toBe("kube-already-exists");
    });

    test("raises the version with every write", async () => {
      const { client, namespace, signal } = await setUp();
      let last = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      for (const holder of ["b", "c", "d"]) {
        const next = await client.replace<Lease>(
          LEASES,
          { ...last, spec: { holderIdentity: holder } },
          signal,
        );
        expect(BigInt(next.metadata.resourceVersion!)).toBeGreaterThan(
          BigInt(last.metadata.resourceVersion!),
        );
        last = next;
      }
    });

    test("refuses a replacement that is based on an older version", async () => {
      const { client, namespace, signal } = await setUp();
      const first = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      await client.replace<Lease>(LEASES, { ...first, spec: { holderIdentity: "b" } }, signal);
      expect(
        await codeOf(client.replace<Lease>(LEASES, { ...first, spec: { holderIdentity: "c" } }, signal)),
      ).toBe("kube-conflict");
      const withoutUid = lease(namespace, "a", "c");
      const stale = {
        ...withoutUid,
        metadata: { ...withoutUid.metadata, resourceVersion: first.metadata.resourceVersion! },
      };
      expect(await codeOf(client.replace<Lease>(LEASES, stale, signal))).toBe("kube-conflict");
      expect((await client.get<Lease>(LEASES, { namespace, name: "a" }, signal))?.spec.holderIdentity).toBe(
        "b",
      );
    });

    test("never brings a removed object back to life by a replacement with a precondition", async () => {
      const { client, namespace, signal } = await setUp();
      const { metadata, spec } = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      await client.remove(LEASES, metadata, signal);
      const byVersion = { namespace, name: "a", resourceVersion: metadata.resourceVersion! };
      for (const wanted of [metadata, byVersion]) {
        expect(await codeOf(client.replace<Lease>(LEASES, { metadata: wanted, spec }, signal))).toMatch(
          /^kube-(conflict|not-found)$/,
        );
      }
      expect(await client.get(LEASES, metadata, signal)).toBeUndefined();
    });

    test("patches single fields, and only what is there", async () => {
      const { client, namespace, signal } = await setUp();
      await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      const ref = { namespace, name: "a" };
      const patch = { metadata: { labels: { part: null, other: "x" } } };
      const patched = await client.patch<Lease>(LEASES, ref, patch, signal);
      expect(patched.metadata.labels).toEqual({ other: "x" });
      expect(patched.spec.holderIdentity).toBe("someone");
      expect(await codeOf(client.patch(LEASES, { namespace, name: "none" }, patch, signal))).toBe(
        "kube-not-found",
      );
    });

    test("removes only what fulfils the preconditions", async () => {
      const { client, namespace, signal } = await setUp();
      const { metadata } = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      for (const preconditions of [{ uid: "another" }, { resourceVersion: "1" }]) {
        expect(await codeOf(client.remove(LEASES, metadata, signal, { preconditions }))).toBe(
          "kube-conflict",
        );
      }
      const preconditions = { uid: metadata.uid!, resourceVersion: metadata.resourceVersion! };
      expect(await client.remove(LEASES, metadata, signal, { preconditions })).toBe("removed");
    });

    test("keeps an object with a finalizer until the finalizer is gone", async () => {
      const { client, namespace, signal } = await setUp();
      const { metadata, spec } = lease(namespace, "a");
      await client.create<Lease>(
        LEASES,
        { metadata: { ...metadata, finalizers: ["test.dispatch.city/x"] }, spec },
        signal,
      );
      expect(await client.remove(LEASES, metadata, signal)).toBe("removed");
      expect((await client.get(LEASES, metadata, signal))?.metadata.deletionTimestamp).toEqual(
        expect.any(String),
      );
      await client.patch(LEASES, metadata, { metadata: { finalizers: null } }, signal);
      expect(await client.get(LEASES, metadata, signal)).toBeUndefined();
    });

    test("lists by label, and page by page at one version", async () => {
      const { client, namespace, signal } = await setUp();
      for (const leaseName of ["a1", "a2", "a3", "b1"]) {
        await client.create<Lease>(LEASES, lease(namespace, leaseName), signal);
      }
      const first = await client.list<Lease>(
        LEASES,
        { namespace, labelSelector: "part=a", limit: 2 },
        signal,
      );
      await client.create<Lease>(LEASES, lease(namespace, "b2"), signal);
      const options = { namespace, labelSelector: "part=a", limit: 2, continue: first.continue! };
      const second = await client.list<Lease>(LEASES, options, signal);
      const items = [...first.items, ...second.items];
      expect(items.map(({ metadata }) => metadata.name)).toEqual(["a1", "a2", "a3"]);
      expect(items.every(({ kind }) => kind === "Lease")).toBe(true);
      expect(second.resourceVersion).toBe(first.resourceVersion);
      expect(second.continue).toBeUndefined();
    });

    test("tells a watch everything after its version, and what begins or ceases to match its labels", async () => {
      const { client, namespace, signal } = await setUp();
      const { resourceVersion } = await client.list(LEASES, { namespace, limit: 1 }, signal);
      const a = await client.create<Lease>(LEASES, lease(namespace, "a"), signal);
      await client.create<Lease>(LEASES, lease(namespace, "b"), signal);
      await client.patch(LEASES, a.metadata, { spec: { holderIdentity: "other" } }, signal);
      await client.patch(LEASES, a.metadata, { metadata: { labels: { part: "b" } } }, signal);
      await client.patch(LEASES, a.metadata, { metadata: { labels: { part: "a" } } }, signal);
      await client.remove(LEASES, a.metadata, signal);
      const options = {
        namespace,
        labelSelector: "part=a",
        resourceVersion,
        timeoutSeconds: 30,
        allowBookmarks: true,
      } as const;
      const seen: WatchEvent<Lease>[] = [];
      for await (const event of client.watch<Lease>(LEASES, options, signal)) {
        seen.push(event);
        if (seen.length === 6) break;
      }
      expect(seen.map(({ kind }) => kind)).toEqual([
        "opened",
        "added",
        "modified",
        "deleted",
        "added",
        "deleted",
      ]);
      const versions = seen.flatMap((event) =>
        "object" in event ? [BigInt(event.object.metadata.resourceVersion!)] : [],
      );
      expect(versions).toEqual(versions.toSorted((left, right) => (left < right ? -1 : 1)));
    });

    test("ends a watch with the reason of its signal", async () => {
      const { client, namespace, signal } = await setUp();
      const { resourceVersion } = await client.list(LEASES, { namespace, limit: 1 }, signal);
      const stop = new AbortController();
      const reason = new Error("enough");
      const watching = (async () => {
        const options = { namespace, resourceVersion, timeoutSeconds: 30, allowBookmarks: true } as const;
        for await (const event of client.watch(LEASES, options, stop.signal)) {
          if (event.kind === "opened") setImmediate(() => stop.abort(reason));
        }
      })();
      await expect(watching).rejects.toBe(reason);
    });
  });
}
