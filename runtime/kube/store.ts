import type { KubeObject } from "./resources.ts";

/** A copy of one collection as it was last told to us, and what each piece of news changes in it. No I/O. */

export type Change<T extends KubeObject> =
  | { readonly kind: "added"; readonly object: T; readonly previous?: undefined }
  | { readonly kind: "updated"; readonly object: T; readonly previous: T }
  /** `object` is the last state known; its deletion itself may have gone unseen. */
  | { readonly kind: "deleted"; readonly object: T; readonly previous?: undefined };

export class Store<T extends KubeObject> {
  #objects = new Map<string, T>();

  get size(): number {
    return this.#objects.size;
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  get(ref: { readonly namespace?: string | undefined; readonly name: string }): T | undefined {
    return this.#objects.get(keyOf(ref));
  }

  /** An object exists in this state. The same name under another UID is another object: the first one was deleted. */
  put(object: T): readonly Change<T>[] {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    this.#objects.set(key, object);
    return changesBetween(previous, object, "by-resource-version");
  }

  /** An object was deleted; its last state is what the news says, else what we knew. */
  delete(object: T): readonly Change<T>[] {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    if (previous === undefined) return [];
    this.#objects.delete(key);
    const last = previous.metadata.uid === object.metadata.uid ? object : previous;
    return [{ kind: "deleted", object: last }];
  }

  /**
   * The collection is exactly this. Deletions come first. When history was rewritten, a resourceVersion no longer tells
   * whether an object is the one we knew, since the numbers are used again: everything counts as updated.
   */
  replaceAll(objects: readonly T[], history: "continued" | "rewritten"): readonly Change<T>[] {
    const before = this.#objects;
    this.#objects = new Map(objects.map((object) => [keyOf(object.metadata), object]));
    const changes: Change<T>[] = [];
    for (const [key, object] of before) {
      if (!this.#objects.has(key)) changes.push({ kind: "deleted", object });
    }
    const compared = history === "continued" ? "by-resource-version" : "never-the-same";
    for (const [key, object] of this.#objects)
      changes.push(...changesBetween(before.get(key), object, compared));
    return changes;
  }
}

function changesBetween<T extends KubeObject>(
  previous: T | undefined,
  object: T,
  compared: "by-resource-version" | "never-the-same",
): readonly Change<T>[] {
  if (previous === undefined) return [{ kind: "added", object }];
  if (previous.metadata.uid !== object.metadata.uid) {
    return [
      { kind: "deleted", object: previous },
      { kind: "added", object },
    ];
  }
  const isSame =
    compared === "by-resource-version" &&
    previous.metadata.resourceVersion === object.metadata.resourceVersion;
  return isSame ? [] : [{ kind: "updated", object, previous }];
}

function keyOf({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return `${namespace ?? ""}/${name}`;
}
