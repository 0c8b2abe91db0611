import { abortable, withDeadline } from "../../runtime/abort.ts";
import type { KubeClient, WatchOptions } from "../../runtime/kube/kube-api.ts";
import { errorOfFailure, errorOfStatus } from "../../runtime/kube/kube-error.ts";
import type { KubeObject, Resource } from "../../runtime/kube/resources.ts";
import type { WatchEvent } from "../../runtime/kube/watch.ts";
import { networkError, type Link, type Stream } from "./network.ts";
import type { VirtualTime } from "./time.ts";

/** A KubeClient over a link: the edge that production code has over HTTP, with the same errors and the same deadlines. */

const NEVER = new AbortController().signal;
/** Share of the refusals that come although the write was done, as a 500 or a 504 may. */
const DONE_SHARE = 0.2;
const REFUSALS = [
  { httpStatus: 429, retryAfter: "1" },
  { httpStatus: 500, retryAfter: undefined },
  { httpStatus: 503, retryAfter: undefined },
] as const;
const CONFLICT = { httpStatus: 409, retryAfter: undefined };

export function createKubeLink(input: {
  readonly link: Link;
  readonly time: VirtualTime;
  /** The API server, as seen from beside it. */
  readonly server: KubeClient;
  readonly requestTimeoutMs: number;
}): KubeClient {
  const { link, server, time } = input;
  const { clock } = link.process;

  async function call<Result>(
    what: string,
    signal: AbortSignal,
    serve: () => Promise<Result>,
    isConditional = false,
  ): Promise<Result> {
    const served = async (): Promise<Result> => {
      if (link.random() >= link.faults.refused) return serve();
      if (link.random() < DONE_SHARE) await serve();
      const choice = Math.floor(link.random() * (REFUSALS.length + 1));
      const refusal = REFUSALS[choice] ?? (isConditional ? CONFLICT : REFUSALS[0]);
      throw errorOfStatus({ what, status: undefined, ...refusal });
    };
    try {
      return await withDeadline({ clock, what, limitMs: input.requestTimeoutMs, signal }, async (limited) =>
        abortable(link.roundTrip(served), limited),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw errorOfFailure(what, error);
    }
  }

  async function* watch(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<KubeObject>> {
    const stream = new WatchStream({ link, time, server, resource, options });
    const what = `watch ${resource.plural}`;
    try {
      yield await withDeadline({ clock, what, limitMs: input.requestTimeoutMs, signal }, async (limited) =>
        abortable(stream.open(), limited),
      );
      for (;;) {
        const event = await abortable(stream.next(), signal);
        if (event === undefined) return;
        yield event;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw errorOfFailure(what, error);
    } finally {
      stream.close();
    }
  }

  return {
    namespace: "default",
    list: (resource, options, signal) =>
      call(`list ${resource.plural}`, signal, () => server.list(resource, options, NEVER)),
    get: (resource, ref, signal) =>
      call(`get ${resource.plural}/${ref.name}`, signal, () => server.get(resource, ref, NEVER)),
    create: (resource, object, signal) =>
      call(`create ${resource.plural}/${object.metadata.name}`, signal, () =>
        server.create(resource, object, NEVER),
      ),
    replace: (resource, object, signal, options) =>
      call(
        `replace ${resource.plural}/${object.metadata.name}`,
        signal,
        () => server.replace(resource, object, NEVER, options),
        true,
      ),
    patch: (resource, ref, mergePatch, signal, options) =>
      call(`patch ${resource.plural}/${ref.name}`, signal, () =>
        server.patch(resource, ref, mergePatch, NEVER, options),
      ),
    remove: (resource, ref, signal, options) =>
      call(
        `remove ${resource.plural}/${ref.name}`,
        signal,
        () => server.remove(resource, ref, NEVER, options),
        true,
      ),
    watch: (resource, options, signal) =>
      watch(resource, options, signal) as AsyncIterable<WatchEvent<never>>,
    version: (signal) => call("version", signal, () => server.version(NEVER)),
    close: () => Promise.resolve(),
  };
}

/** One watch: events leave the server in order and arrive in order, however slow the link is. */
class WatchStream implements Stream {
  readonly #input: {
    readonly link: Link;
    readonly time: VirtualTime;
    readonly server: KubeClient;
    readonly resource: Resource;
    readonly options: WatchOptions;
  };
  readonly #closing = new AbortController();
  readonly #arrived: (WatchEvent<KubeObject> | "end" | Error)[] = [];
  #held: (() => void)[] = [];
  #lastArrivalMs = 0;
  #isMuted = false;
  #isClosed = false;
  #news = Promise.withResolvers<void>();

  constructor(input: {
    readonly link: Link;
    readonly time: VirtualTime;
    readonly server: KubeClient;
    readonly resource: Resource;
    readonly options: WatchOptions;
  }) {
    this.#input = input;
  }

  /** The first event, once the API server has accepted the watch. */
  async open(): Promise<WatchEvent<KubeObject>> {
    const { link, time, options } = this.#input;
    if (link.isRefusing) throw networkError("ECONNREFUSED");
    if (link.faults.cut === "open" && link.random() >= link.faults.lostRequests) {
      link.streams.add(this);
      time.after(link.latencyMs(), () => {
        if (this.#isClosed) return;
        void this.#pump();
        time.after(options.timeoutSeconds * 1_000, () => this.#closing.abort());
      });
    }
    const first = await this.next();
    if (first === undefined) throw networkError("ECONNRESET");
    return first;
  }

  async next(): Promise<WatchEvent<KubeObject> | undefined> {
    for (;;) {
      const item = this.#arrived.shift();
      if (item === "end") return undefined;
      if (Error.isError(item)) throw item;
      if (item !== undefined) return item;
      this.#news = Promise.withResolvers<void>();
      await this.#news.promise;
    }
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  break(): void {
    if (this.#isMuted) return;
    this.#isMuted = true;
    this.#input.time.after(this.#input.link.latencyMs(), () => this.#arrive(networkError("ECONNRESET")));
  }

  mute(): void {
    this.#isMuted = true;
  }

  heal(cutMs: number): void {
    const kept = this.#held.splice(0);
    if (cutMs > 20_000) this.#isMuted = true;
    else for (const deliver of kept) deliver();
  }

  close(): void {
    this.#isClosed = true;
    this.#input.link.streams.delete(this);
    this.#closing.abort();
  }

  async #pump(): Promise<void> {
    const { server, resource, options } = this.#input;
    try {
      for await (const event of server.watch(resource, options, this.#closing.signal)) this.#send(event);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.#send(error as Error);
        return;
      }
    }
    this.#send("end");
  }

  #send(item: WatchEvent<KubeObject> | "end" | Error): void {
    const { link, time } = this.#input;
    const deliver = (): void => {
      if (this.#isMuted || this.#isClosed) return;
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, time.nowMs + link.latencyMs());
      time.at(this.#lastArrivalMs, () => {
        if (!this.#isMuted) this.#arrive(item);
      });
    };
    if (link.faults.cut === "silent") this.#held.push(deliver);
    else deliver();
  }

  #arrive(item: WatchEvent<KubeObject> | "end" | Error): void {
    this.#input.link.process.enter(() => {
      this.#arrived.push(item);
      this.#news.resolve();
    });
  }
}
