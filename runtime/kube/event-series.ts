import { microTimeText, type KubeObject } from "./resources.ts";

/** Which events are repetitions of one another, and what they look like to the API server. No I/O. */

export type EventSubject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
};

export type EventRecord = {
  readonly regarding: EventSubject;
  /** What else had a part in it: the worker's Pod, say. */
  readonly related?: EventSubject;
  /** CamelCase, from a closed set: why. */
  readonly reason: string;
  /** CamelCase: what was done. */
  readonly action: string;
  /** For people; at most 1,024 bytes are kept. */
  readonly note: string;
  readonly type: "Normal" | "Warning";
};

export type EventObject = KubeObject & {
  readonly eventTime?: string;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly reason?: string;
  readonly action?: string;
  readonly note?: string;
  readonly type?: string;
  readonly regarding?: EventSubject;
  readonly related?: EventSubject;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
};

/** One event with its repetitions. */
export type Series = {
  readonly key: string;
  readonly record: EventRecord;
  readonly namespace: string;
  readonly name: string;
  readonly firstWallMs: number;
  lastWallMs: number;
  lastMs: number;
  count: number;
  /** The API server has it, perhaps with a smaller count. */
  isSent: boolean;
};

/** After a pause as long as this, the same event is news again. */
const WINDOW_MS = 600_000;
const SERIES_MAX = 5_000;
const NAME_LENGTH_MAX = 253;
const NOTE_BYTES_MAX = 1_024;
const INSTANCE_LENGTH_MAX = 128;
const ELLIPSIS = "\u2026";

export class SeriesBook {
  readonly #newId: () => string;
  /** The one that repeated last comes last, so that the first is the one to forget. */
  readonly #series = new Map<string, Series>();

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** The series of which this event is the newest. */
  note(record: EventRecord, now: { readonly monotonicMs: number; readonly wallMs: number }): Series {
    const key = keyOf(record);
    const known = this.#series.get(key);
    const series =
      known !== undefined && now.monotonicMs - known.lastMs < WINDOW_MS
        ? known
        : this.#begin(key, record, now.wallMs);
    series.count += 1;
    series.lastMs = now.monotonicMs;
    series.lastWallMs = now.wallMs;
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > SERIES_MAX && oldest !== undefined) this.#series.delete(oldest);
    return series;
  }

  /** The next such event begins a new series. */
  forget(series: Series): void {
    if (this.#series.get(series.key) === series) this.#series.delete(series.key);
  }

  #begin(key: string, record: EventRecord, wallMs: number): Series {
    const id = this.#newId();
    return {
      key,
      record,
      // Events about objects without a namespace are kept in `default`.
      namespace: record.regarding.namespace ?? "default",
      name: `${record.regarding.name.slice(0, NAME_LENGTH_MAX - id.length - 1)}.${id}`,
      firstWallMs: wallMs,
      lastWallMs: wallMs,
      lastMs: 0,
      count: 0,
      isSent: false,
    };
  }
}

export function eventObject(
  series: Series,
  reporting: { readonly reportingController: string; readonly reportingInstance: string },
): EventObject {
  const { record } = series;
  return {
    metadata: { namespace: series.namespace, name: series.name },
    eventTime: microTimeText(series.firstWallMs),
    reportingController: reporting.reportingController,
    reportingInstance: reporting.reportingInstance.slice(0, INSTANCE_LENGTH_MAX),
    reason: record.reason,
    action: record.action,
    note: shorten(record.note),
    type: record.type,
    regarding: record.regarding,
    ...(record.related === undefined ? {} : { related: record.related }),
    // The API wants a count of two at least.
    ...(series.count < 2 ? {} : { series: seriesField(series) }),
  };
}

export function seriesField(series: Series): { readonly count: number; readonly lastObservedTime: string } {
  return { count: series.count, lastObservedTime: microTimeText(series.lastWallMs) };
}

function keyOf({ regarding, reason, action, note, type }: EventRecord): string {
  const { kind, namespace, name, uid } = regarding;
  return JSON.stringify([kind, namespace, name, uid, reason, action, note, type]);
}

/** At most as many bytes as the API takes, never half a character. */
function shorten(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES_MAX) return note;
  const kept = new TextDecoder().decode(bytes.subarray(0, NOTE_BYTES_MAX - Buffer.byteLength(ELLIPSIS)), {
    stream: true,
  });
  return kept + ELLIPSIS;
}
