import type { ListOptions } from "../../runtime/kube/kube-api.ts";
import { pathOf, type KubeObject, type ObjectMetadata, type Resource } from "../../runtime/kube/resources.ts";

/** The objects of a fake API server with one resourceVersion counter over all of them, and the history of their changes. */

/** One write: `before` is absent for a creation, `after` for a deletion. */
export type News = {
  readonly version: number;
  readonly path: string;
  /** The collections that the object is in: that of its namespace, and that of all namespaces. */
  readonly collections: readonly string[];
  readonly before?: KubeObject;
  readonly after?: KubeObject;
};

const RAISED_BY = 1_000_000;
const LONG_AGO = "2026-01-01T00:00:00Z";

export class FakeEtcd {
  #objects = new Map<string, KubeObject>();
  #version = 100;
  #uid = 0;
  #oldest = 0;
  #news: News[] = [];
  readonly #onNews: (news: News) => void;
  readonly #uidPrefix: string;

  constructor(onNews: (news: News) => void, uidPrefix = "uid") {
    this.#onNews = onNews;
    this.#uidPrefix = uidPrefix;
  }

  get version(): number {
    return this.#version;
  }

  get(path: string): KubeObject | undefined {
    return this.#objects.get(path);
  }

  /** In the order of their paths, as etcd has them. */
  select(collection: string, options: ListOptions): KubeObject[] {
    const isSelected = selectionOf(options);
    return [...this.#objects]
      .filter(([path, object]) => collectionsOf(path).includes(collection) && isSelected(object))
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => object);
  }

  /** The changes after `version`; undefined when they are forgotten. */
  since(version: number): readonly News[] | undefined {
    return version < this.#oldest ? undefined : this.#news.filter((news) => news.version > version);
  }

  /** Creates or changes an object; one that is being deleted goes when its last finalizer does. */
  put(resource: Resource, object: KubeObject): KubeObject {
    const path = pathOf(resource, object.metadata);
    const before = this.#objects.get(path);
    const isGone =
      object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    if (isGone && before !== undefined) return this.#erase(path, before);
    this.#version += 1;
    const metadata: ObjectMetadata = {
      ...object.metadata,
      uid: before?.metadata.uid ?? `${this.#uidPrefix}-${++this.#uid}`,
      creationTimestamp: before?.metadata.creationTimestamp ?? LONG_AGO,
      resourceVersion: String(this.#version),
    };
    const after = frozenCopyOf({ ...object, kind: resource.kind, metadata });
    this.#objects.set(path, after);
    this.#announce(path, { after, ...(before === undefined ? {} : { before }) });
    return after;
  }

  remove(resource: Resource, object: KubeObject): void {
    if ((object.metadata.finalizers ?? []).length === 0)
      this.#erase(pathOf(resource, object.metadata), object);
    else if (object.metadata.deletionTimestamp === undefined) {
      this.put(resource, { ...object, metadata: { ...object.metadata, deletionTimestamp: LONG_AGO } });
    }
  }

  compact(): void {
    this.#news = [];
    this.#oldest = this.#version;
  }

  /**
   * Notes the present state; the function returned brings it back, resourceVersions and all, or above all that there ever
   * were, as `etcdutl snapshot restore --bump-revision` does.
   */
  backup(): (revision?: "as-it-was" | "raised") => void {
    const objects = new Map(this.#objects);
    const version = this.#version;
    return (revision = "as-it-was") => {
      this.#objects = new Map(objects);
      this.#version = revision === "raised" ? this.#version + RAISED_BY : version;
      this.#news = [];
      this.#oldest = this.#version;
    };
  }

  #erase(path: string, before: KubeObject): KubeObject {
    this.#version += 1;
    this.#objects.delete(path);
    this.#announce(path, { before });
    return before;
  }

  #announce(path: string, change: Pick<News, "before" | "after">): void {
    const news = { version: this.#version, path, collections: collectionsOf(path), ...change };
    this.#news.push(news);
    this.#onNews(news);
  }
}

function collectionsOf(path: string): readonly string[] {
  const withoutNamespace = path.replace(/\/namespaces\/[^/]+(?=\/[^/]+\/)/, "");
  return [path, withoutNamespace].map((candidate) => candidate.slice(0, candidate.lastIndexOf("/")));
}

/** Label selectors of the form a=b,c=d, and the field selector metadata.name=x. */
export function selectionOf(options: ListOptions): (object: KubeObject) => boolean {
  const pairs = (selector: string | undefined): string[][] =>
    selector === undefined ? [] : selector.split(",").map((pair) => pair.split("="));
  const labels = pairs(options.labelSelector);
  const fields = pairs(options.fieldSelector);
  return ({ metadata }) =>
    labels.every(([key, value]) => metadata.labels?.[key ?? ""] === value) &&
    fields.every(([, value]) => metadata.name === value);
}

/**
 * A deep copy of what JSON can say, frozen: what is stored is shown to everybody as it is, and whoever would change what
 * others see fails at once. Simulations would otherwise copy all the time.
 */
function frozenCopyOf<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopyOf)) as Value;
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = frozenCopyOf(value[key]);
  return Object.freeze(copy) as Value;
}
