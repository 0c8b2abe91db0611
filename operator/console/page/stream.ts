import { applyChanges, NOTHING, type Picture } from "./changes.ts";
import type { StreamMessage } from "./picture.ts";

/** A picture that keeps itself up to date, from one of the operator's streams. */
export type Stream = {
  readonly picture: Picture;
  /** Now on the clock of the database, as far as the last message told; undefined before the first one. */
  nowMs(): number | undefined;
  close(): void;
};

export type StreamState = "connecting" | "live" | "lost";

/** A stream says something every second: after so long a silence it is lost, whatever the browser believes. */
const SILENCE_MAX_MS = 5_000;
/** A browser gives up for good where it is refused, by an operator that has enough viewers. */
const AGAIN_AFTER_MS = 5_000;

/** Nobody sees a hidden page, and browsers open few connections to one place: it closes its own until it is seen again. */
export function openStream(
  path: string,
  on: { readonly picture: () => void; readonly state: (state: StreamState) => void },
): Stream {
  const ending = new AbortController();
  const { signal } = ending;
  let picture = NOTHING;
  let aheadMs: number | undefined;
  let heardMs = performance.now();
  let state: StreamState | undefined;
  let source: EventSource | undefined;

  const become = (next: StreamState): void => {
    if (state === next || signal.aborted) return;
    state = next;
    on.state(next);
  };
  function take(event: MessageEvent<string>): void {
    const message = JSON.parse(event.data) as StreamMessage;
    heardMs = performance.now();
    aheadMs = message.nowMs - heardMs;
    picture = applyChanges(message.kind === "whole" ? NOTHING : picture, message.changes);
    become("live");
    on.picture();
  }
  function connect(): void {
    source?.close();
    source = undefined;
    if (document.hidden || signal.aborted) return;
    heardMs = performance.now();
    source = new EventSource(path);
    source.addEventListener("message", take);
    source.addEventListener("error", () => become("lost"));
  }
  const watch = setInterval(() => {
    if (source === undefined) return;
    const silenceMs = performance.now() - heardMs;
    if (silenceMs > SILENCE_MAX_MS) become("lost");
    if (source.readyState === EventSource.CLOSED && silenceMs > AGAIN_AFTER_MS) connect();
  }, 1_000);
  document.addEventListener("visibilitychange", connect, { signal });
  become("connecting");
  connect();
  return {
    get picture() {
      return picture;
    },
    nowMs: () => (aheadMs === undefined ? undefined : performance.now() + aheadMs),
    close() {
      ending.abort();
      clearInterval(watch);
      source?.close();
    },
  };
}

/** The things of one kind; the operator wrote them with these fields. */
export function itemsOf<Thing>(picture: Picture, kind: string): ReadonlyMap<string, Thing> {
  return (picture.items[kind] ?? new Map<string, Thing>()) as ReadonlyMap<string, Thing>;
}
