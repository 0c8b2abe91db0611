import type { KubeClient, ListOptions, ListPage, WriteOptions } from "../../runtime/kube/kube-api.ts";
import { errorOfStatus, KubeError } from "../../runtime/kube/kube-error.ts";
import { pathOf, type KubeObject, type ObjectRef, type Resource } from "../../runtime/kube/resources.ts";
import type { WatchEvent } from "../../runtime/kube/watch.ts";
import { FakeEtcd, selectionOf, type News } from "./fake-etcd.ts";

/**
 * An API server in memory, for tests of what stands on a KubeClient. What it has in common with the real one stands in
 * `kube-contract.ts`, which runs against both.
 */
export type FakeKube = {
  readonly client: KubeClient;
  /** Somebody else's way to the same objects, which nothing breaks. */
  readonly elsewhere: KubeClient;
  /** What `client` was asked so far, as "replace leases/a". */
  readonly calls: string[];
  /** Nobody can reach it until `comeBack`; its watches break. */
  goAway(): void;
  comeBack(): void;
  /** Breaks every watch once. */
  breakWatches(): void;
  /** Ends every watch in good order, as on its timeout. */
  endWatches(): void;
  /** The present watches stay open, but nothing comes through them any more. */
  muteWatches(): void;
  bookmark(): void;
  /** Forgets the history: a watch from an earlier resourceVersion is answered with 410. */
  compact(): void;
  /** Notes the present state; the function returned brings it back, resourceVersions and all. */
  backup(): (revision?: "as-it-was" | "raised") => void;
  /** The next call that matches fails with this. */
  failNext(call: RegExp, error: unknown): void;
};

type Tagged = WatchEvent<KubeObject> | { readonly kind: "break" } | { readonly kind: "end" };
type Watcher = {
  readonly collection: string;
  readonly isSelected: (object: KubeObject) => boolean;
  readonly queue: Tagged[];
  isMuted: boolean;
  wake: () => void;
};

/** `onWrite` sees every write as etcd does; `uidPrefix` tells two clusters apart. */
export function createFakeKube(
  input: { readonly onWrite?: (news: News) => void; readonly uidPrefix?: string } = {},
): FakeKube {
  const calls: string[] = [];
  const watchers = new Set<Watcher>();
  const failures: { readonly call: RegExp; readonly error: unknown }[] = [];
  let isAway = false;
  const etcd = new FakeEtcd((news) => {
    input.onWrite?.(news);
    for (const watcher of watchers) tell(watcher, news);
  }, input.uidPrefix);
  const pushAll = (event: Tagged): void => {
    for (const watcher of watchers) push(watcher, event);
  };
  const begin = async (call: string, signal: AbortSignal): Promise<void> => {
    calls.push(call);
    await Promise.resolve();
    signal.throwIfAborted();
    if (isAway) throw unreachable();
    const index = failures.findIndex((failure) => failure.call.test(call));
    if (index >= 0) throw failures.splice(index, 1)[0]?.error as Error;
  };
  const watch = async function* (
    resource: Resource,
    options: ListOptions & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<KubeObject>> {
    await begin(`watch ${resource.plural}`, signal);
    const collection = pathOf(resource, { namespace: options.namespace });
    const isSelected = selectionOf(options);
    const watcher: Watcher = { collection, isSelected, queue: [], isMuted: false, wake: () => undefined };
    push(watcher, { kind: "opened" });
    const missed = etcd.since(Number(options.resourceVersion));
    if (missed === undefined) push(watcher, { kind: "error", error: refusal(410) });
    for (const news of missed ?? []) tell(watcher, news);
    watchers.add(watcher);
    try {
      yield* drain(watcher, signal);
    } finally {
      watchers.delete(watcher);
    }
  };
  return {
    client: createClient({ etcd, begin, watch, onClose: () => pushAll({ kind: "break" }) }),
    elsewhere: createClient({ etcd, begin: () => Promise.resolve(), watch, onClose: () => undefined }),
    calls,
    goAway() {
      isAway = true;
      pushAll({ kind: "break" });
    },
    comeBack() {
      isAway = false;
    },
    breakWatches: () => pushAll({ kind: "break" }),
    endWatches: () => pushAll({ kind: "end" }),
    muteWatches() {
      for (const watcher of watchers) watcher.isMuted = true;
    },
    bookmark: () => pushAll({ kind: "bookmark", resourceVersion: String(etcd.version) }),
    compact: () => etcd.compact(),
    backup: () => etcd.backup(),
    failNext(call, error) {
      failures.push({ call, error });
    },
  };
}

function createClient(input: {
  readonly etcd: FakeEtcd;
  readonly begin: (call: string, signal: AbortSignal) => Promise<void>;
  readonly watch: (...args: Parameters<KubeClient["watch"]>) => AsyncIterable<WatchEvent<KubeObject>>;
  readonly onClose: () => void;
}): KubeClient {
  const { etcd, begin, watch } = input;
  const named = async (verb: string, resource: Resource, ref: ObjectRef, signal: AbortSignal) => {
    await begin(`${verb} ${resource.plural}/${ref.name}`, signal);
    return etcd.get(pathOf(resource, ref));
  };
  return {
    namespace: "default",
    async list<T extends KubeObject>(
      resource: Resource,
      options: ListOptions,
      signal: AbortSignal,
    ): Promise<ListPage<T>> {
      await begin(`list ${resource.plural}`, signal);
      const all = etcd.select(pathOf(resource, { namespace: options.namespace }), options);
      const first = options.continue === undefined ? 0 : Number(options.continue.split(" ")[0]);
      const resourceVersion = options.continue?.split(" ")[1] ?? String(etcd.version);
      const end = first + (options.limit ?? all.length);
      const items = all.slice(first, end) as T[];
      return {
        resourceVersion,
        items,
        ...(end < all.length ? { continue: `${end} ${resourceVersion}` } : {}),
      };
    },
    async get<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal) {
      return (await named("get", resource, ref, signal)) as T | undefined;
    },
    async create<T extends KubeObject>(resource: Resource, object: T, signal: AbortSignal) {
      const before = await named("create", resource, object.metadata, signal);
      if (before !== undefined) throw refusal(409, "AlreadyExists");
      return etcd.put(resource, object) as T;
    },
    async replace<T extends KubeObject>(
      resource: Resource,
      object: T,
      signal: AbortSignal,
      options: WriteOptions = {},
    ) {
      const before = await named("replace", resource, object.metadata, signal);
      if (before === undefined) throw refusal(404);
      requireSame(before, object.metadata);
      const { status } = object as { status?: unknown };
      const next = options.subresource === "status" ? { ...before, status } : object;
      return etcd.put(resource, next) as T;
    },
    async patch<T extends KubeObject>(
      resource: Resource,
      ref: ObjectRef,
      mergePatch: unknown,
      signal: AbortSignal,
    ) {
      const before = await named("patch", resource, ref, signal);
      if (before === undefined) throw refusal(404);
      const next = merge(before, mergePatch) as KubeObject;
      requireSame(before, next.metadata);
      return etcd.put(resource, next) as T;
    },
    async remove(resource, ref, signal, options = {}) {
      const before = await named("remove", resource, ref, signal);
      if (before === undefined) return "absent";
      requireSame(before, options.preconditions ?? {});
      etcd.remove(resource, before);
      return "removed";
    },
    watch: (resource, options, signal) =>
      watch(resource, options, signal) as AsyncIterable<WatchEvent<never>>,
    async version(signal) {
      await begin("version", signal);
      return { major: "1", minor: "35", gitVersion: "v1.35.4" };
    },
    close: () => Promise.resolve(input.onClose()),
  };
}

async function* drain(watcher: Watcher, signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
  const wake = (): void => watcher.wake();
  signal.addEventListener("abort", wake);
  try {
    for (;;) {
      signal.throwIfAborted();
      const event = watcher.queue.shift();
      if (event === undefined) {
        const woken = Promise.withResolvers<void>();
        watcher.wake = woken.resolve;
        await woken.promise;
      } else if (event.kind === "end") return;
      else if (event.kind === "break") throw unreachable();
      else yield event;
    }
  } finally {
    signal.removeEventListener("abort", wake);
  }
}

/** A write as one watch sees it: an object that begins or ceases to match its selector comes or goes. */
function tell(watcher: Watcher, { collections, before, after, version }: News): void {
  if (!collections.includes(watcher.collection)) return;
  const isSeen = (object: KubeObject | undefined): object is KubeObject =>
    object !== undefined && watcher.isSelected(object);
  if (isSeen(after)) push(watcher, { kind: isSeen(before) ? "modified" : "added", object: after });
  else if (isSeen(before)) {
    const metadata = { ...before.metadata, resourceVersion: String(version) };
    push(watcher, { kind: "deleted", object: { ...before, metadata } });
  }
}

function push(watcher: Watcher, event: Tagged): void {
  const isConnection = event.kind === "break" || event.kind === "end";
  if (watcher.isMuted && !isConnection) return;
  watcher.queue.push(event);
  watcher.wake();
}

function requireSame(
  { metadata }: KubeObject,
  wanted: { readonly uid?: string; readonly resourceVersion?: string },
): void {
  const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = wanted;
  if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) throw refusal(409);
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === "object" && !Array.isArray(target);
  const merged: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function refusal(httpStatus: number, reason?: string): KubeError {
  return errorOfStatus({ what: "fake", httpStatus, status: reason === undefined ? undefined : { reason } });
}

function unreachable(): KubeError {
  return new KubeError({
    code: "kube-unreachable",
    remedy: "retry",
    message: "fake: the API server is away",
  });
}
