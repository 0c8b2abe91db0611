import type { KubeClient, ListOptions } from "./kube-api.ts";
import type { KubeObject, Resource } from "./resources.ts";

/**
 * A whole collection, page by page, in the state that it had at one resourceVersion. Throws `kube-expired` when reading
 * took so long that this state is gone: then begin again.
 */
export async function listAll<T extends KubeObject>(
  input: {
    readonly client: Pick<KubeClient, "list">;
    readonly resource: Resource;
    /** `limit` is the size of a page. */
    readonly options: ListOptions;
    readonly onPage?: (items: readonly T[]) => void;
  },
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  const { client, resource, options, onPage } = input;
  let page = await client.list<T>(resource, options, signal);
  const { items, resourceVersion } = page;
  onPage?.(items);
  while (page.continue !== undefined) {
    page = await client.list<T>(resource, { ...options, continue: page.continue }, signal);
    for (const item of page.items) items.push(item);
    onPage?.(page.items);
  }
  return { items, resourceVersion };
}
