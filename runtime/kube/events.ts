import { randomBytes } from "node:crypto";
import { abortable } from "../abort.ts";
import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { isOperational } from "../errors.ts";
import type { Log } from "../log.ts";
import type { KubeClient } from "./kube-api.ts";
import {
  eventObject,
  SeriesBook,
  seriesField,
  type EventObject,
  type EventRecord,
  type Series,
} from "./event-series.ts";
import { EVENTS } from "./resources.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

export type { EventRecord, EventSubject } from "./event-series.ts";

/**
 * Tells people what happened to an object, as events.k8s.io/v1 Events that `kubectl describe` and `kubectl events` show. Best
 * effort: what cannot be sent is dropped and counted, and nobody ever waits for an event.
 */
export type EventRecorder = {
  /** The same event again within ten minutes raises the count of the first one. */
  record(event: EventRecord): void;
  /** Events that were not sent: too many at once, or refused by the API server. */
  readonly dropped: number;
  /** Sends what is left, for at most `limitMs` (default 3 s). Nothing is recorded after that. */
  close(limitMs?: number): Promise<void>;
};

export type EventRecorderInput = {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Like "dispatch.city/operator". */
  readonly reportingController: string;
  /** Which process of it; at most 128 characters are kept. */
  readonly reportingInstance: string;
  /** Distinct events that wait to be sent. Default 1,000. */
  readonly queueMax?: number;
  /** Default 20. */
  readonly eventsPerSecondMax?: number;
  /** What makes an event's name unique; random by default. */
  readonly newId?: () => string;
  /** 0 ≤ x < 1; spreads the repetitions. Default: Math.random. */
  readonly random?: () => number;
};

const ATTEMPTS_MAX = 3;
const BACKOFF = { firstMs: 200, maxMs: 2_000 };
const CLOSE_LIMIT_MS = 3_000;

export function createEventRecorder(input: EventRecorderInput): EventRecorder {
  return new QueuedRecorder(input);
}

class QueuedRecorder implements EventRecorder {
  readonly #input: EventRecorderInput;
  readonly #queueMax: number;
  readonly #bucket: TokenBucket;
  readonly #series: SeriesBook;
  readonly #queue = new Set<Series>();
  readonly #stop = new AbortController();
  readonly #sender: Promise<void>;
  #news = Promise.withResolvers<void>();
  #isClosing = false;
  #dropped = 0;

  constructor(input: EventRecorderInput) {
    this.#input = input;
    this.#queueMax = input.queueMax ?? 1_000;
    const perSecond = input.eventsPerSecondMax ?? 20;
    this.#bucket = createTokenBucket({ clock: input.clock, perSecond, burst: perSecond });
    this.#series = new SeriesBook(input.newId ?? (() => randomBytes(8).toString("hex")));
    this.#sender = this.#sendAll(this.#stop.signal);
  }

  get dropped(): number {
    return this.#dropped;
  }

  record(event: EventRecord): void {
    const { clock } = this.#input;
    if (this.#isClosing) {
      this.#dropped += 1;
      return;
    }
    const series = this.#series.note(event, { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
    if (!this.#queue.has(series) && this.#queue.size >= this.#queueMax) {
      this.#drop(series, "queue-full");
      return;
    }
    this.#queue.add(series);
    this.#news.resolve();
  }

  async close(limitMs: number = CLOSE_LIMIT_MS): Promise<void> {
    this.#isClosing = true;
    this.#news.resolve();
    const cancel = this.#input.clock.schedule(limitMs, () => {
      this.#stop.abort(new Error("closed before all events were sent"));
    });
    try {
      await this.#sender;
    } finally {
      cancel();
    }
    for (const series of this.#queue) this.#drop(series, "closed");
    this.#queue.clear();
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        this.#news = Promise.withResolvers<void>();
        const [series] = this.#queue;
        if (series !== undefined) {
          while (!this.#bucket.take()) await this.#input.clock.sleep(this.#bucket.waitMs(), signal);
          // Taken out before sending: what repeats meanwhile has to be sent again.
          this.#queue.delete(series);
          await this.#send(series, signal);
        } else if (this.#isClosing) return;
        else await abortable(this.#news.promise, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #send(series: Series, signal: AbortSignal): Promise<void> {
    const { clock } = this.#input;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#write(series, signal);
        return;
      } catch (error) {
        if (signal.aborted) this.#drop(series, "closed");
        if (signal.aborted || !isOperational(error)) throw error;
        if (error.remedy !== "retry" || attempt + 1 >= ATTEMPTS_MAX) {
          this.#drop(series, error.code, error);
          return;
        }
        await clock.sleep(backoffMs(BACKOFF, attempt, this.#input.random ?? Math.random), signal);
      }
    }
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { client } = this.#input;
    if (series.isSent) {
      try {
        const ref = { namespace: series.namespace, name: series.name };
        await client.patch<EventObject>(EVENTS, ref, { series: seriesField(series) }, signal);
        return;
      } catch (error) {
        // Events live for an hour or so, or somebody deleted it: then it is a first one again.
        if (!isOperational(error, "kube-not-found")) throw error;
      }
    }
    try {
      await client.create<EventObject>(EVENTS, eventObject(series, this.#input), signal);
    } catch (error) {
      // The answer of an earlier attempt was lost, not the event.
      if (!isOperational(error, "kube-already-exists")) throw error;
    }
    series.isSent = true;
  }

  #drop(series: Series, because: string, err?: unknown): void {
    this.#dropped += 1;
    if (!series.isSent) this.#series.forget(series);
    const { reason, regarding } = series.record;
    this.#input.log.warn(
      { because, reason, regarding: `${regarding.kind}/${regarding.name}`, err },
      "event dropped",
    );
  }
}
