import type { Clock } from "../clock.ts";
import { AssertionError, isOperational } from "../errors.ts";
import type { Log } from "../log.ts";
import type { KubeClient } from "./client.ts";
import { decideReconnect, isHistoryRewritten, RECONNECT_LIMITS, type Ended, type ReconnectLimits } from "./reconnect.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject, Resource } from "./resources.ts";
import { Store, type Change } from "./store.ts";

/**
 * Keeps a copy of one collection in memory: list, then watch, and again whatever breaks. It guarantees that the copy
 * converges on what the API server has, that no deletion is lost (an object that vanished or was replaced during a gap is
 * reported as deleted), and that a rewritten history is noticed. It does not guarantee that every state in between is seen.
 *
 * One gap is left: history that was rewritten while we were away and has since grown past the last resourceVersion that we
 * had seen looks like a continued one. A restore that raises the revision, as Kubernetes recommends, has no such gap.
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
  /** The newest one known. */
  readonly resourceVersion: string | undefined;
};

export type ReflectorLimits = {
  readonly pageSize: number;
  /** The API server sends a bookmark about once a minute: a watch without any word for longer than that is dead. */
  readonly silenceLimitMs: number;
  /** Each watch is asked to end after a random time between the two, so that watches spread over the API servers. */
  readonly watchSecondsMin: number;
  readonly watchSecondsMax: number;
  readonly reconnect: ReconnectLimits;
};

export const REFLECTOR_LIMITS: ReflectorLimits = {
  pageSize: 500,
  silenceLimitMs: 90_000,
  watchSecondsMin: 300,
  watchSecondsMax: 600,
  reconnect: RECONNECT_LIMITS,
};

export type ReflectorInput<T extends KubeObject> = {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called in order, after the copy has changed. Must not throw. */
  readonly onChange: (change: Change<T>) => void;
  /** After the changes of the first complete list. */
  readonly onSynced?: () => void;
  /** The watch broke: until `onRegained`, what happens stays unseen. Not called when a watch ends in good order. */
  readonly onLost?: () => void;
  /** A watch delivers again, and the copy is being brought up to date. */
  readonly onRegained?: () => void;
  readonly limits?: Partial<ReflectorLimits>;
};

export function createReflector<T extends KubeObject>(input: ReflectorInput<T>): Reflector<T> {
  return new ListWatchReflector(input);
}

class ListWatchReflector<T extends KubeObject> implements Reflector<T> {
  readonly #input: ReflectorInput<T>;
  readonly #limits: ReflectorLimits;
  readonly #store = new Store<T>();
  readonly #firstList = Promise.withResolvers<void>();
  #synced = false;
  #connected = false;
  #lost = false;
  #lastContactMs: number | undefined;
  #resourceVersion: string | undefined;

  constructor(input: ReflectorInput<T>) {
    this.#input = input;
    this.#limits = { ...REFLECTOR_LIMITS, ...input.limits };
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
}
