import type { KubeObject, ObjectRef, Resource } from "./resources.ts";
import type { WatchEvent } from "./watch.ts";

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
  /**
   * A `metadata.resourceVersion` in the object is a precondition: `kube-conflict` when the stored one differs, and
   * `kube-conflict` or `kube-not-found` when the object is gone. Pass `metadata.uid` as well where it is known: for Leases
   * it must be read first otherwise, which costs a request.
   */
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
