import type { Clock } from "../../runtime/clock.ts";
import { changesBetween, NOTHING, type Picture } from "./page/changes.ts";
import type { StreamMessage } from "./page/picture.ts";

/**
 * Those who look at one picture. A slow one holds neither memory nor the others: as long as it has not taken what it was sent,
 * it is sent nothing more, and then the whole picture as it is by then. One that takes nothing for too long is let go.
 */

/** One who looks; the edge is in `server.ts`. */
export type Viewer = {
  /** Whether something that it was sent is still on its way. */
  readonly isBusy: boolean;
  send(text: string): void;
  /** Lets go, at once. */
  end(): void;
};

const BUSY_MAX_MS = 30_000;

type Place = {
  readonly viewer: Viewer;
  /** It has the last picture, so that changes are enough. */
  isCurrent: boolean;
  busySinceMs: number | undefined;
};

export class Audience {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #places = new Set<Place>();
  #picture: Picture = NOTHING;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#places.size;
  }

  /** It gets the whole picture with the next one. Call the function returned when it is gone. */
  join(viewer: Viewer): () => void {
    const place: Place = { viewer, isCurrent: false, busySinceMs: undefined };
    this.#places.add(place);
    return () => this.#places.delete(place);
  }

  show(picture: Picture, nowMs: number): void {
    const previous = this.#picture;
    this.#picture = picture;
    const whole = once(() => text({ kind: "whole", nowMs, changes: changesBetween(NOTHING, picture) }));
    const changes = once(() => text({ kind: "changes", nowMs, changes: changesBetween(previous, picture) }));
    for (const place of this.#places) {
      if (place.viewer.isBusy) {
        place.isCurrent = false;
        place.busySinceMs ??= this.#clock.monotonicMs();
        if (this.#clock.monotonicMs() - place.busySinceMs < BUSY_MAX_MS) continue;
        this.#places.delete(place);
        place.viewer.end();
        continue;
      }
      place.busySinceMs = undefined;
      place.viewer.send(place.isCurrent ? changes() : whole());
      place.isCurrent = true;
    }
  }

  close(): void {
    for (const { viewer } of this.#places) viewer.end();
    this.#places.clear();
  }
}

function text(message: StreamMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function once<Result>(make: () => Result): () => Result {
  let made: { readonly result: Result } | undefined;
  return () => (made ??= { result: make() }).result;
}
