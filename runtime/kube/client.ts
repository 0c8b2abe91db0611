import { systemClock, type Clock } from "../clock.ts";
import { Cluster, type KubeconfigSource } from "./cluster.ts";
import type {
  KubeClient,
  ListOptions,
  ListPage,
  RemoveOptions,
  ServerVersion,
  WatchOptions,
  WriteOptions,
} from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import {
  apiVersionOf,
  pathOf,
  type KubeObject,
  type ObjectMetadata,
  type ObjectRef,
  type Resource,
} from "./resources.ts";
import { decode, isAbsent, Transport, type Request } from "./transport.ts";
import { complete, decodeWatch, type WatchEvent } from "./watch.ts";

export type { KubeconfigSource } from "./cluster.ts";
export type { KubeClient, ListOptions, ListPage, WatchOptions } from "./kube-api.ts";
export type { KubeObject, ObjectMetadata, ObjectRef, Resource } from "./resources.ts";
export type { WatchEvent } from "./watch.ts";

export type KubeClientInput = {
  /** Default: as kubectl would find it. */
  readonly kubeconfig?: KubeconfigSource;
  /** As in "city-operator/0.1.0": the API server's audit log and the objects' field managers show it. */
  readonly userAgent?: string;
  /** Milliseconds for one request with its answer; also for the beginning of a watch. */
  readonly requestTimeoutMs?: number;
  /** Requests under way at once; more wait for their turn within their deadline. Watches do not count. */
  readonly connectionsMax?: number;
  readonly clock?: Clock;
};

/**
 * One set of connections to one API server. What must never wait behind other requests (heartbeats, leader election) gets
 * a client of its own with few connections. Throws `kube-config` when no cluster can be found.
 */
export function createKubeClient(input: KubeClientInput = {}): KubeClient {
  const clock = input.clock ?? systemClock;
  const requestTimeoutMs = input.requestTimeoutMs ?? 10_000;
  const cluster = new Cluster({
    source: input.kubeconfig ?? { kind: "default" },
    connectionsMax: input.connectionsMax ?? 8,
    connectTimeoutMs: requestTimeoutMs,
    clock,
  });
  const userAgent = input.userAgent ?? "city-operator";
  const transport = new Transport({ cluster, clock, requestTimeoutMs, userAgent });
  return new HttpKubeClient({ namespace: cluster.namespace, transport });
}

class HttpKubeClient implements KubeClient {
  readonly namespace: string | undefined;
  readonly #transport: Transport;

  constructor(input: { readonly namespace: string | undefined; readonly transport: Transport }) {
    this.namespace = input.namespace;
    this.#transport = input.transport;
  }

  async list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ListPage<T>> {
    const { namespace, ...query } = options;
    const request: Request = {
      what: `list ${resource.plural}`,
      method: "GET",
      path: pathOf(resource, { namespace }),
      query,
    };
    const list = await this.#call<RawList<T>>(request, signal);
    const items = list.items ?? [];
    for (const item of items) complete(item, resource);
    const next = list.metadata.continue ?? "";
    return {
      resourceVersion: list.metadata.resourceVersion,
      items,
      ...(next === "" ? {} : { continue: next }),
    };
  }

  async get<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const request: Request = {
      what: describe("get", resource, ref),
      method: "GET",
      path: pathOf(resource, ref),
    };
    const answer = await this.#transport.send(request, signal);
    return isAbsent(answer) ? undefined : complete(decode(request, answer) as T, resource);
  }

  async create<T extends KubeObject>(resource: Resource, object: T, signal: AbortSignal): Promise<T> {
    const { namespace } = object.metadata;
    const request: Request = {
      what: describe("create", resource, object.metadata),
      method: "POST",
      path: pathOf(resource, { namespace }),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
    };
    return complete(await this.#call<T>(request, signal), resource);
  }

  async replace<T extends KubeObject>(
    resource: Resource,
    object: T,
    signal: AbortSignal,
    options: WriteOptions = {},
  ): Promise<T> {
    const metadata = resource.isCreatedByReplace
      ? await this.#withUid(resource, object.metadata, signal)
      : object.metadata;
    const request: Request = {
      what: describe("replace", resource, metadata),
      method: "PUT",
      path: pathOf(resource, metadata) + suffixOf(options),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object, metadata },
    };
    return complete(await this.#call<T>(request, signal), resource);
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    mergePatch: unknown,
    signal: AbortSignal,
    options: WriteOptions = {},
  ): Promise<T> {
    const request: Request = {
      what: describe("patch", resource, ref),
      method: "PATCH",
      path: pathOf(resource, ref) + suffixOf(options),
      body: mergePatch,
      contentType: "application/merge-patch+json",
    };
    return complete(await this.#call<T>(request, signal), resource);
  }

  async remove(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    const request: Request = {
      what: describe("remove", resource, ref),
      method: "DELETE",
      path: pathOf(resource, ref),
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background", ...options },
    };
    const answer = await this.#transport.send(request, signal);
    if (isAbsent(answer)) return "absent";
    decode(request, answer);
    return "removed";
  }

  async *watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, allowBookmarks, ...query } = options;
    const request: Request = {
      what: `watch ${resource.plural}`,
      method: "GET",
      path: pathOf(resource, { namespace }),
      query: { ...query, watch: true, allowWatchBookmarks: allowBookmarks },
    };
    const stream = await this.#transport.open(request, signal);
    try {
      yield { kind: "opened" };
      yield* decodeWatch<T>(stream.chunks, resource);
    } finally {
      stream.close();
    }
  }

  async version(signal: AbortSignal): Promise<ServerVersion> {
    return await this.#call({ what: "version", method: "GET", path: "/version" }, signal);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /**
   * The same metadata with the UID of the object that has this resourceVersion: without it, a PUT would bring a deleted
   * object back to life.
   */
  async #withUid(resource: Resource, metadata: ObjectMetadata, signal: AbortSignal): Promise<ObjectMetadata> {
    if (metadata.resourceVersion === undefined || metadata.uid !== undefined) return metadata;
    const what = describe("replace", resource, metadata);
    const present = await this.get<KubeObject>(resource, metadata, signal);
    if (present === undefined) {
      throw new KubeError({ code: "kube-not-found", remedy: "refresh", message: `${what}: it is gone` });
    }
    if (present.metadata.resourceVersion !== metadata.resourceVersion) {
      const message = `${what}: it is at resourceVersion ${present.metadata.resourceVersion}, not ${metadata.resourceVersion}`;
      throw new KubeError({ code: "kube-conflict", remedy: "refresh", message });
    }
    return present.metadata.uid === undefined ? metadata : { ...metadata, uid: present.metadata.uid };
  }

  async #call<Result>(request: Request, signal: AbortSignal): Promise<Result> {
    return decode(request, await this.#transport.send(request, signal)) as Result;
  }
}

type RawList<T> = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** Go writes an empty list of nothing as null. */
  readonly items: T[] | null;
};

function describe(verb: string, resource: Resource, { namespace, name }: ObjectRef): string {
  return `${verb} ${resource.plural}/${name}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function suffixOf(options: WriteOptions): string {
  return options.subresource === undefined ? "" : `/${options.subresource}`;
}
