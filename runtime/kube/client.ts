import { systemClock, type Clock } from "../clock.ts";
import { Cluster, type KubeconfigSource } from "./cluster.ts";
import { apiVersionOf, pathOf, type KubeObject, type ObjectRef, type Resource } from "./resources.ts";
import { decode, isAbsent, Transport, type Request } from "./transport.ts";
import { complete, decodeWatch, type WatchEvent } from "./watch.ts";

export type { KubeconfigSource } from "./cluster.ts";
export type { KubeObject, ObjectMetadata, ObjectRef, Resource } from "./resources.ts";
export type { WatchEvent } from "./watch.ts";

export type ListOptions = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  /** Absent: the newest state there is, confirmed by a quorum. "0": whatever the API server has at hand. */
  readonly resourceVersion?: string;
};

export type ListPage<T> = {
  readonly resourceVersion: string;
  readonly items: T[];
  /** Present when there are more pages: pass it to the next call. */
  readonly continue?: string;
};

export type WatchOptions = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion: string;
  /** After this long the API server ends the watch in good order. */
  readonly timeoutSeconds: number;
  readonly allowBookmarks: true;
};

export type RemoveOptions = {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
};
export type WriteOptions = { readonly subresource?: "status" };

export type ServerVersion = { readonly major: string; readonly minor: string; readonly gitVersion: string };

/** The API server as JSON in and out. Every call but `watch` has a deadline; errors are the codes of `KubeError`. */
export type KubeClient = {
  /** The namespace of the kubeconfig's context, or of the Pod that this runs in. */
  readonly namespace: string | undefined;
  list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ListPage<T>>;
  /** The newest state, confirmed by a quorum; undefined when there is no such object. */
  get<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<T | undefined>;
  create<T extends KubeObject>(resource: Resource, object: T, signal: AbortSignal): Promise<T>;
  /** A `metadata.resourceVersion` in the object is a precondition: `kube-conflict` when the stored one differs. */
  replace<T extends KubeObject>(
    resource: Resource,
    object: T,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  /** JSON merge patch (RFC 7386): null removes a field, lists are replaced whole. */
  patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    mergePatch: unknown,
    signal: AbortSignal,
    options?: WriteOptions,
  ): Promise<T>;
  /** `removed`: accepted; with finalizers the object stays until they are gone. */
  remove(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
    options?: RemoveOptions,
  ): Promise<"removed" | "absent">;
  /** Ends when the API server ends the watch in good order; throws when the connection breaks. */
  watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  version(signal: AbortSignal): Promise<ServerVersion>;
  /** Breaks whatever is under way. */
  close(): Promise<void>;
};

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
    const request: Request = {
      what: describe("replace", resource, object.metadata),
      method: "PUT",
      path: pathOf(resource, object.metadata) + suffixOf(options),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object },
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

  watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const { namespace, allowBookmarks, ...query } = options;
    const request: Request = {
      what: `watch ${resource.plural}`,
      method: "GET",
      path: pathOf(resource, { namespace }),
      query: { ...query, watch: true, allowWatchBookmarks: allowBookmarks },
    };
    return decodeWatch<T>(this.#transport.stream(request, signal), resource);
  }

  async version(signal: AbortSignal): Promise<ServerVersion> {
    return await this.#call({ what: "version", method: "GET", path: "/version" }, signal);
  }

  async close(): Promise<void> {
    await this.#transport.close();
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
