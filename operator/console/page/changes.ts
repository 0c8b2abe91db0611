/**
 * How pictures travel: whole at first, then what changed. The operator takes the differences, the page puts them together
 * again; both with this file.
 */

export type Value = string | number | boolean | null;

/** A flat thing, of a kind that always has the same fields. */
export type Item = Readonly<Record<string, Value>>;

/** One thing about the whole, and things by kind and key. */
export type Picture = {
  readonly head: Item;
  readonly items: Readonly<Record<string, ReadonlyMap<string, Item>>>;
};

/** What makes one picture of another: fields that changed, all of them for what is new; keys that are gone. */
export type Changes = {
  readonly head: Item;
  readonly items: Readonly<Record<string, readonly (readonly [key: string, fields: Item])[]>>;
  readonly gone: Readonly<Record<string, readonly string[]>>;
};

export const NOTHING: Picture = { head: {}, items: {} };

/** Kinds without a change are left out. */
export function changesBetween(previous: Picture, next: Picture): Changes {
  const items: Record<string, readonly (readonly [string, Item])[]> = {};
  const gone: Record<string, string[]> = {};
  for (const [kind, things] of Object.entries(next.items)) {
    const before = previous.items[kind] ?? new Map<string, Item>();
    const changed: [string, Item][] = [];
    for (const [key, thing] of things) {
      const fields = changedFields(before.get(key), thing);
      if (fields !== undefined) changed.push([key, fields]);
    }
    if (changed.length > 0) items[kind] = changed;
    const left = [...before.keys()].filter((key) => !things.has(key));
    if (left.length > 0) gone[kind] = left;
  }
  return { head: changedFields(previous.head, next.head) ?? {}, items, gone };
}

export function applyChanges(picture: Picture, changes: Changes): Picture {
  const items: Record<string, ReadonlyMap<string, Item>> = { ...picture.items };
  for (const kind of new Set([...Object.keys(changes.items), ...Object.keys(changes.gone)])) {
    const things = new Map(items[kind]);
    for (const key of changes.gone[kind] ?? []) things.delete(key);
    for (const [key, fields] of changes.items[kind] ?? []) {
      things.set(key, { ...things.get(key), ...fields });
    }
    items[kind] = things;
  }
  return { head: { ...picture.head, ...changes.head }, items };
}

/** Undefined: none. */
function changedFields(previous: Item | undefined, next: Item): Item | undefined {
  if (previous === next) return undefined;
  if (previous === undefined) return next;
  let changed: Record<string, Value> | undefined;
  for (const name in next) {
    const value = next[name] ?? null;
    if (previous[name] === value) continue;
    changed ??= {};
    changed[name] = value;
  }
  return changed;
}
