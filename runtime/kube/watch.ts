import { KubeError, errorOfStatus, type StatusText } from "./kube-error.ts";
import { apiVersionOf, type KubeObject, type Resource } from "./resources.ts";

/** What the API server tells on a watch: but for the first, one line of JSON each. */
export type WatchEvent<T extends KubeObject> =
  /** The API server has accepted the watch; always first. */
  | { readonly kind: "opened" }
  | { readonly kind: "added" | "modified" | "deleted"; readonly object: T }
  /** Nothing of ours happened up to this resourceVersion. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  /** The watch is over; `kube-expired` means that it cannot be taken up again from where it was. */
  | { readonly kind: "error"; readonly error: KubeError };

/** Bytes as they arrive → events, in order. Throws `kube-unavailable` for a line that is not an event. */
export async function* decodeWatch<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
  resource: Resource,
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", start)) {
      if (end > start) yield decodeEvent<T>(rest.slice(start, end), resource);
      start = end + 1;
    }
    rest = rest.slice(start);
  }
}

/**
 * Completes an object as the API server sent it: lists leave out what kind their items are. Who last set which field
 * is left out: it is often larger than the object, and nobody here reads it.
 */
export function complete<T extends KubeObject>(object: T, resource: Resource): T {
  const raw = object as { apiVersion?: string; kind?: string; metadata: { managedFields?: unknown } };
  raw.apiVersion ??= apiVersionOf(resource);
  raw.kind ??= resource.kind;
  if (raw.metadata.managedFields !== undefined) raw.metadata.managedFields = undefined;
  return object;
}

function decodeEvent<T extends KubeObject>(line: string, resource: Resource): WatchEvent<T> {
  const { type, object } = parse(line, resource);
  switch (type) {
    case "ADDED":
      return { kind: "added", object: complete(object as T, resource) };
    case "MODIFIED":
      return { kind: "modified", object: complete(object as T, resource) };
    case "DELETED":
      return { kind: "deleted", object: complete(object as T, resource) };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: (object as T).metadata.resourceVersion ?? "" };
    case "ERROR": {
      const status = object as StatusText;
      const what = `watch ${resource.plural}`;
      return { kind: "error", error: errorOfStatus({ what, httpStatus: status.code ?? 500, status }) };
    }
    default:
      throw garbled(resource, `unknown event type ${JSON.stringify(type)}`);
  }
}

function parse(line: string, resource: Resource): { type: string; object: unknown } {
  try {
    return JSON.parse(line) as { type: string; object: unknown };
  } catch (error) {
    throw garbled(resource, "a line is not JSON", error);
  }
}

function garbled(resource: Resource, what: string, cause?: unknown): KubeError {
  return new KubeError({
    code: "kube-unavailable",
    remedy: "retry",
    message: `watch ${resource.plural}: ${what}`,
    cause,
  });
}
