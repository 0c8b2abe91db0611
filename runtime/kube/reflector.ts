import { abortable } from "../abort.ts";
import { assert, AssertionError, isOperational, type OperationalError } from "../errors.ts";
import type { ListOptions } from "./kube-api.ts";
import { listAll } from "./list-all.ts";
import { listenForSilence } from "./silence.ts";
import { decideReconnect, isHistoryRewritten, type Ended } from "./reconnect.ts";
import type { ReflectorInput } from "./reflector-input.ts";
import { REFLECTOR_LIMITS, type ReflectorLimits } from "./reflector-limits.ts";
import type { KubeObject } from "./resources.ts";
import { Store, type Change } from "./store.ts";
import type { WatchEvent } from "./watch.ts";

export type { ReflectorInput } from "./reflector-input.ts";
export type { Change } from "./store.ts";

/**
 * Keeps a copy of one collection in memory: list, then watch, and again whatever breaks. It guarantees that the copy
 * converges on what the API server has, that no deletion is lost (an object that vanished or was replaced during a gap is
 * reported as deleted), and that a rewritten history is noticed. It does not guarantee that every state in between is seen.
 */
export type Reflector<T extends KubeObject> = {
  /** Until the signal aborts. Rejects only when a callback throws, which is a bug of ours. */
  run(signal: AbortSignal): Promise<void>;
  /** True from the first complete list on. */
  readonly synced: boolean;
  /** True while a watch is delivering: what the copy shows is at most `silenceLimitMs` old. */
  readonly connected: boolean;
  waitSynced(signal: AbortSignal): Promise<void>;
  list(): readonly T[];
  /** `namespace` is the one given at creation unless told otherwise. */
  get(name: string, namespace?: string): T | undefined;
  /** When anything last came from the API server, on the monotonic clock. */
  readonly lastContactMs: number | undefined;
  /** Why the copy is not being kept up to date, in the API server's words; undefined while it is, and after a silence. */
  readonly trouble: string | undefined;
  /** The newest one known. */
  readonly resourceVersion: string | undefined;
};

/** A watch that ends after this share of the time asked for has ended on time. */
const TIMED_OUT_SHARE = 0.9;

/** Why a watch is given up that has not said a word for too long. */
const SILENCE = new Error("the watch fell silent");

export function createReflector<T extends KubeObject>(input: ReflectorInput<T>): Reflector<T> {
  return new ListWatchReflector(input);
}

class ListWatchReflector<T extends KubeObject> implements Reflector<T> {
  readonly #input: ReflectorInput<T>;
  readonly #limits: ReflectorLimits;
  /** What every list and watch is limited to. */
  readonly #selection: Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector">;
  readonly #store = new Store<T>();
  readonly #firstList = Promise.withResolvers<void>();
  #isRunning = false;
  #synced = false;
  #connected = false;
  /** Between `onLost` and `onRegained`. */
  #isLost = false;
  #isListNeeded = true;
  /** Kept until a list has succeeded: a failed one must not make us forget it. */
  #history: "continued" | "rewritten" = "continued";
  /** When the present watch began to deliver. */
  #openedMs: number | undefined;
  #lastContactMs: number | undefined;
  #trouble: string | undefined;
  #resourceVersion: string | undefined;

  constructor(input: ReflectorInput<T>) {
    this.#input = input;
    this.#limits = { ...REFLECTOR_LIMITS, ...input.limits };
    const { namespace, labelSelector, fieldSelector } = input;
    this.#selection = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  get synced(): boolean {
    return this.#synced;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  get(name: string, namespace: string | undefined = this.#input.namespace): T | undefined {
    return this.#store.get({ namespace, name });
  }

  async waitSynced(signal: AbortSignal): Promise<void> {
    await abortable(this.#firstList.promise, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    assert(!this.#isRunning, "a reflector runs once at a time");
    this.#isRunning = true;
    const { clock, random } = this.#input;
    try {
      for (let failures = 0; ;) {
        const { ended, error } = await this.#round(signal);
        const livedMs = this.#openedMs === undefined ? 0 : clock.monotonicMs() - this.#openedMs;
        const next = decideReconnect({ ended, livedMs, failures, limits: this.#limits.reconnect, random });
        failures = next.failures;
        if (next.isRelistNeeded) this.#isListNeeded = true;
        if (ended.kind !== "timed-out") this.#lose(ended, failures, error);
        await clock.sleep(next.delayMs, signal);
      }
    } catch (error) {
      const isStop = signal.aborted && (error === signal.reason || isOperational(error));
      if (!isStop) throw error;
    } finally {
      this.#isRunning = false;
      this.#connected = false;
    }
  }

  /** Brings the copy up to date and watches until the watch ends. */
  async #round(signal: AbortSignal): Promise<{ readonly ended: Ended; readonly error?: OperationalError }> {
    this.#openedMs = undefined;
    try {
      if (!this.#isListNeeded) await this.#checkHistory(signal);
      if (this.#isListNeeded) await this.#listAll(signal);
      return { ended: await this.#watch(signal) };
    } catch (error) {
      if (signal.aborted || !isOperational(error)) throw error;
      return { ended: { kind: error.code === "kube-expired" ? "expired" : "lost" }, error };
    }
  }

  /** A watch from a resourceVersion of the future is accepted and stays silent for ever, so this asks first. */
  async #checkHistory(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, log } = this.#input;
    const options = { limit: 1, ...(namespace === undefined ? {} : { namespace }) };
    const { resourceVersion: present } = await client.list<T>(resource, options, signal);
    this.#touch();
    const lastSeen = this.#resourceVersion ?? "";
    if (!isHistoryRewritten({ present, lastSeen })) return;
    log.warn(
      { resource: resource.plural, because: "history-rewritten", present, lastSeen },
      "collection listed again",
    );
    this.#history = "rewritten";
    this.#isListNeeded = true;
  }

  async #listAll(signal: AbortSignal): Promise<void> {
    const { client, resource, onSynced, onRewritten } = this.#input;
    const options = { ...this.#selection, limit: this.#limits.pageSize };
    const input = { client, resource, options, onPage: () => this.#touch() };
    const { items, resourceVersion } = await listAll<T>(input, signal);
    if (isHistoryRewritten({ present: resourceVersion, lastSeen: this.#resourceVersion ?? "" })) {
      this.#history = "rewritten";
    }
    if (this.#history === "rewritten") this.#call(() => onRewritten?.());
    const changes = this.#store.replaceAll(items, this.#history);
    this.#resourceVersion = resourceVersion;
    this.#isListNeeded = false;
    this.#history = "continued";
    this.#tell(changes);
    if (this.#synced) return;
    this.#synced = true;
    this.#firstList.resolve();
    this.#call(() => onSynced?.());
  }

  async #watch(signal: AbortSignal): Promise<Ended> {
    const { client, resource, clock, random } = this.#input;
    const { watchSecondsMin, watchSecondsMax } = this.#limits;
    const timeoutSeconds = Math.round(watchSecondsMin + (watchSecondsMax - watchSecondsMin) * random());
    const silence = new AbortController();
    const stopListening = listenForSilence({
      clock,
      limitMs: this.#limits.silenceLimitMs,
      lastHeardMs: () => this.#lastContactMs,
      onSilence: () => silence.abort(SILENCE),
    });
    try {
      const options = {
        ...this.#selection,
        resourceVersion: this.#resourceVersion ?? "",
        timeoutSeconds,
        allowBookmarks: true,
      } as const;
      const audible = AbortSignal.any([signal, silence.signal]);
      for await (const event of client.watch<T>(resource, options, audible)) this.#apply(event);
    } catch (error) {
      if (error === SILENCE) return { kind: "silent" };
      throw error;
    } finally {
      stopListening();
    }
    // A server that shuts down ends its watches in good order as well, only early.
    const livedMs = this.#openedMs === undefined ? 0 : clock.monotonicMs() - this.#openedMs;
    return { kind: livedMs >= timeoutSeconds * 1_000 * TIMED_OUT_SHARE ? "timed-out" : "lost" };
  }

  #apply(event: WatchEvent<T>): void {
    this.#touch();
    switch (event.kind) {
      case "opened":
        this.#opened();
        return;
      case "bookmark":
        this.#resourceVersion = event.resourceVersion;
        return;
      case "added":
      case "modified":
        this.#resourceVersion = event.object.metadata.resourceVersion;
        this.#tell(this.#store.put(event.object));
        return;
      case "deleted":
        this.#resourceVersion = event.object.metadata.resourceVersion;
        this.#tell(this.#store.delete(event.object));
        return;
      case "error":
        throw event.error;
      default:
        event satisfies never;
    }
  }

  #opened(): void {
    this.#openedMs = this.#input.clock.monotonicMs();
    this.#connected = true;
    this.#trouble = undefined;
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#input.log.debug({ resource: this.#input.resource.plural }, "watch regained");
    this.#call(() => this.#input.onRegained?.());
  }

  #lose(ended: Ended, attempt: number, err: OperationalError | undefined): void {
    this.#trouble = err?.message;
    const because = err?.code ?? (ended.kind === "silent" ? "silent" : "ended-early");
    const fields = { resource: this.#input.resource.plural, because, outcome: ended.kind, attempt, err };
    // On a collection in which nothing happens, this is how it goes every time.
    if (ended.kind === "silent") this.#input.log.debug(fields, "watch renewed");
    else this.#input.log.warn(fields, "watch lost");
    if (!this.#connected) return;
    this.#connected = false;
    this.#isLost = true;
    this.#call(() => this.#input.onLost?.());
  }

  #touch(): void {
    this.#lastContactMs = this.#input.clock.monotonicMs();
  }

  #tell(changes: readonly Change<T>[]): void {
    for (const change of changes) this.#call(() => this.#input.onChange(change));
  }

  /** A callback that throws must not pass for an API server that fails, which would be retried for ever. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (cause) {
      throw new AssertionError(`a callback of the reflector of ${this.#input.resource.plural} threw`, {
        cause,
      });
    }
  }
}
