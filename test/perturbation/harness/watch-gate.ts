import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import type { KubeObject } from "../../../runtime/kube/resources.ts";
import type { WatchEvent } from "../../../runtime/kube/watch.ts";
import { composeClient } from "./compose-client.ts";

/**
 * Stands between an operator and its watches. While it is shut, nothing comes through; what is let go of then comes as it
 * was (late), or as one change per object (merged), as if the states in between had never been observed.
 */
export class WatchGate {
  #isShut = false;
  #changed = Promise.withResolvers<void>();
  #release: "late" | "merged" = "late";

  shut(): void {
    this.#isShut = true;
  }

  open(release: "late" | "merged"): void {
    this.#isShut = false;
    this.#release = release;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  client(base: KubeClient): KubeClient {
    const watches: Pick<KubeClient, "list" | "watch"> = {
      list: (...call) => base.list(...call),
      watch: (...call) => this.#through(base.watch(...call)),
    };
    return composeClient({ watches, others: base });
  }

  async *#through<T extends KubeObject>(source: AsyncIterable<WatchEvent<T>>): AsyncGenerator<WatchEvent<T>> {
    const waiting: WatchEvent<T>[] = [];
    let arrived = Promise.withResolvers<void>();
    let ended: Promise<void> | undefined;
    const pump = async (): Promise<void> => {
      for await (const event of source) {
        waiting.push(event);
        arrived.resolve();
      }
    };
    const pumped = pump();
    const onEnd = (): void => {
      ended = pumped;
      arrived.resolve();
    };
    pumped.then(onEnd, onEnd);
    for (;;) {
      if (!this.#isShut || waiting[0]?.kind === "opened") {
        const events = this.#isShut ? waiting.splice(0, 1) : waiting.splice(0);
        yield* this.#release === "merged" ? merged(events) : events;
        if (ended !== undefined && waiting.length === 0) {
          await ended;
          return;
        }
        if (events.length > 0) continue;
      }
      await Promise.race([arrived.promise, this.#changed.promise]);
      arrived = Promise.withResolvers<void>();
    }
  }
}

/** One event per object: the last one, called what it is for somebody who saw nothing before it. */
export function merged<T extends KubeObject>(events: readonly WatchEvent<T>[]): WatchEvent<T>[] {
  const first = new Map<string, "added" | "modified" | "deleted">();
  const last = new Map<string, WatchEvent<T>>();
  const others: WatchEvent<T>[] = [];
  for (const event of events) {
    if (!("object" in event)) {
      others.push(event);
      continue;
    }
    const { name } = event.object.metadata;
    if (!first.has(name)) first.set(name, event.kind);
    last.set(name, event);
  }
  const changes = [...last].flatMap(([name, event]): WatchEvent<T>[] => {
    if (!("object" in event)) return [];
    const isNew = first.get(name) === "added";
    if (event.kind === "deleted") return isNew ? [] : [event];
    return [{ kind: isNew ? "added" : "modified", object: event.object }];
  });
  return [
    ...others.filter(({ kind }) => kind === "opened"),
    ...changes,
    ...others.filter(({ kind }) => kind !== "opened"),
  ];
}
