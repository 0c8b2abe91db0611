import { abortable, withDeadline } from "../abort.ts";
import { backoffMs, type BackoffLimits } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { assert, isOperational, type OperationalError } from "../errors.ts";
import type { Log } from "../log.ts";
import { KubeError } from "./kube-error.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

/**
 * A queue of keys that need a look, with the semantics of client-go's: a key is in it once, however often it is added; it is
 * never processed twice at once; added while it is being processed, it is processed again afterwards, so that no news is
 * lost. Its length is bounded by the number of distinct keys.
 */
export type WorkQueue = {
  add(key: string): void;
  /** Adds the key after `delayMs`; of several such calls the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Forgets the key's failures and its pending `addAfter`, for a key that is gone for good. */
  forget(key: string): void;
  /** Keys that wait for their turn; not those being processed or added for later. */
  readonly length: number;
  /**
   * Processes keys until the signal aborts, then waits for what is under way. An OperationalError is logged and the key
   * tried again with back-off; any other error is our bug, ends the run and rejects it.
   */
  run(input: WorkQueueRun, signal: AbortSignal): Promise<void>;
};

export type WorkQueueRun = {
  /** Keys processed at once. */
  readonly concurrency: number;
  /** Must end when its signal aborts. `againAfterMs`: not a failure, but look again then. */
  readonly process: (key: string, signal: AbortSignal) => Promise<"done" | { readonly againAfterMs: number }>;
};

export type WorkQueueInput = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How many keys are begun per second on the average, and at once after a pause. */
  readonly ratePerSecond: number;
  readonly burst: number;
  /** Per key: the wait after its first failure, doubled with each more. client-go: 5 ms to 1,000 s. */
  readonly backoff?: BackoffLimits;
  /** Milliseconds for one key. */
  readonly processLimitMs?: number;
};

export function createWorkQueue(input: WorkQueueInput): WorkQueue {
  return new KeyedQueue(input);
}

const BACKOFF: BackoffLimits = { firstMs: 5, maxMs: 30_000 };
const PROCESS_LIMIT_MS = 60_000;

class KeyedQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #backoff: BackoffLimits;
  readonly #processLimitMs: number;
  readonly #bucket: TokenBucket;
  /** Need processing and are not being processed, in order of arrival. */
  readonly #ready = new Set<string>();
  readonly #processing = new Set<string>();
  /** Became dirty again while being processed. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #news = Promise.withResolvers<void>();
  #isRunning = false;

  constructor(input: WorkQueueInput) {
    this.#clock = input.clock;
    this.#random = input.random;
    this.#log = input.log;
    this.#backoff = input.backoff ?? BACKOFF;
    this.#processLimitMs = input.processLimitMs ?? PROCESS_LIMIT_MS;
    this.#bucket = createTokenBucket({
      clock: input.clock,
      perSecond: input.ratePerSecond,
      burst: input.burst,
    });
  }

  get length(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#news.resolve();
  }

  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#later.get(key);
    if (known !== undefined && known.dueMs <= dueMs) return;
    known?.cancel();
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { dueMs, cancel });
  }

  forget(key: string): void {
    this.#failures.delete(key);
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }

  async run({ concurrency, process }: WorkQueueRun, signal: AbortSignal): Promise<void> {
    assert(!this.#isRunning, "a work queue runs once at a time");
    this.#isRunning = true;
    const broken = new AbortController();
    const ending = AbortSignal.any([signal, broken.signal]);
    const underWay = new Set<Promise<void>>();
    let bug: { readonly error: unknown } | undefined;
    try {
      for (;;) {
        const key = await this.#take(() => underWay.size < concurrency, ending);
        if (key === undefined) break;
        const work = this.#process(key, process, ending)
          .catch((error: unknown) => {
            bug ??= { error };
            broken.abort(error);
          })
          .finally(() => {
            underWay.delete(work);
            this.#release(key);
          });
        underWay.add(work);
      }
    } finally {
      await Promise.all(underWay);
      for (const { cancel } of this.#later.values()) cancel();
      this.#later.clear();
      this.#isRunning = false;
    }
    if (bug !== undefined) throw bug.error;
  }

  /** The next key, once there is one, a place and a token for it; undefined when the signal aborts. */
  async #take(hasPlace: () => boolean, signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      // Taken before looking: what is added from here on wakes the wait below.
      this.#news = Promise.withResolvers<void>();
      const [key] = this.#ready;
      if (key !== undefined && hasPlace()) {
        if (this.#bucket.take()) {
          this.#ready.delete(key);
          this.#processing.add(key);
          return key;
        }
        await this.#clock.sleep(this.#bucket.waitMs(), signal).catch(() => undefined);
        continue;
      }
      await abortable(this.#news.promise, signal).catch(() => undefined);
    }
    return undefined;
  }

  async #process(key: string, process: WorkQueueRun["process"], signal: AbortSignal): Promise<void> {
    const limits = { clock: this.#clock, what: `processing ${key}`, limitMs: this.#processLimitMs, signal };
    try {
      const result = await withDeadline(limits, (limited) => process(key, limited));
      this.#failures.delete(key);
      if (result !== "done") this.addAfter(key, result.againAfterMs);
    } catch (error) {
      if (signal.aborted && (error === signal.reason || isOperational(error))) return;
      if (!isOperational(error)) throw error;
      this.#retry(key, error);
    }
  }

  #retry(key: string, error: OperationalError): void {
    const attempt = this.#failures.get(key) ?? 0;
    this.#failures.set(key, attempt + 1);
    const askedMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(askedMs, backoffMs(this.#backoff, attempt, this.#random));
    const fields = {
      key,
      because: error.code,
      attempt: attempt + 1,
      durationMs: Math.round(delayMs),
      err: error,
    };
    // A stale read is nobody's trouble: the API server said so, and the key is looked at anew.
    if (error.remedy === "refresh") this.#log.debug(fields, "key not processed");
    else if (error.remedy === "give-up") this.#log.error(fields, "key not processed");
    else this.#log.warn(fields, "key not processed");
    this.addAfter(key, delayMs);
  }

  #release(key: string): void {
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
    // A place is free, whether or not there is a new key.
    this.#news.resolve();
  }
}
