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

export function openStream(
  path: string,
  on: { readonly picture: () => void; readonly state: (state: StreamState) => void },
): Stream {
  let picture = NOTHING;
  let aheadMs: number | undefined;
  let heardMs = performance.now();
  let state: StreamState = "connecting";
  const become = (next: StreamState): void => {
    if (state === next) return;
    state = next;
    on.state(next);
  };
  const source = new EventSource(path);
  source.addEventListener("message", (event: MessageEvent<string>) => {
    const message = JSON.parse(event.data) as StreamMessage;
    heardMs = performance.now();
    aheadMs = message.nowMs - heardMs;
    picture = applyChanges(message.kind === "whole" ? NOTHING : picture, message.changes);
    become("live");
    on.picture();
  });
  source.addEventListener("error", () => become("lost"));
  const watch = setInterval(() => {
    if (performance.now() - heardMs > SILENCE_MAX_MS) become("lost");
  }, 1_000);
  on.state(state);
  return {
    get picture() {
      return picture;
    },
    nowMs: () => (aheadMs === undefined ? undefined : performance.now() + aheadMs),
    close() {
      clearInterval(watch);
      source.close();
    },
  };
}

/** The things of one kind; the operator wrote them with these fields. */
export function itemsOf<Thing>(picture: Picture, kind: string): ReadonlyMap<string, Thing> {
  return (picture.items[kind] ?? new Map<string, Thing>()) as ReadonlyMap<string, Thing>;
}
