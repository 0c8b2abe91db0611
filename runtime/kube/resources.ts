/** What all Kubernetes objects have in common, and where the API server keeps each kind of them. */

export type ObjectMetadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller?: boolean;
    readonly blockOwnerDeletion?: boolean;
  }[];
};

export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMetadata;
};

export type Resource = {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /**
   * The API server takes a PUT on a missing object for a creation, even if it carries a resourceVersion; only a UID makes it
   * a precondition.
   */
  readonly isCreatedByReplace?: true;
};

export type ObjectRef = { readonly namespace?: string; readonly name: string };

export const NAMESPACES: Resource = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
};
export const LEASES: Resource = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
  isCreatedByReplace: true,
};
export const PODS: Resource = {
  group: "",
  version: "v1",
  plural: "pods",
  kind: "Pod",
  namespaced: true,
};
export const EVENTS: Resource = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};

export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** URL path of the collection, or of one object of it when `ref` has a name. Without a namespace: of all namespaces. */
export function pathOf(
  resource: Resource,
  ref: { readonly namespace?: string | undefined; readonly name?: string },
): string {
  const root = resource.group === "" ? "/api" : "/apis";
  const namespace =
    resource.namespaced && ref.namespace !== undefined
      ? `/namespaces/${encodeURIComponent(ref.namespace)}`
      : "";
  const name = ref.name === undefined ? "" : `/${encodeURIComponent(ref.name)}`;
  return `${root}/${apiVersionOf(resource)}${namespace}/${resource.plural}${name}`;
}

/** Milliseconds since 1970 → RFC 3339 with exactly six fractional digits, which Kubernetes' MicroTime fields insist on. */
export function microTimeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("Z", "000Z");
}
