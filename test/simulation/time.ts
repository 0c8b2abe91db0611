/**
 * Virtual time: a queue of events, run one after the other in the order of their times. Between two events, everything runs
 * that needs no time: each event is a task of its own on Node's own loop, which drains its microtasks. So no event ever
 * sees half of what an earlier one set off, and the same events give the same run.
 */

type Entry = { readonly atMs: number; readonly order: number; callback: (() => void) | undefined };

/** Tasks handed to Node at a time: one at a time would pay for a look at the operating system each. */
const BATCH = 64;
/** More events than this at one instant: time stands still, because something repeats itself without waiting. */
const EVENTS_PER_INSTANT_MAX = 100_000;

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  /** A binary heap: the next one first. */
  readonly #heap: Entry[] = [];
  #eventsThisInstant = 0;
  #events = 0;

  /** Milliseconds since the beginning of the run. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  /** Calls `callback` at that time, unless the returned function was called before. Of one time, first come first served. */
  at(atMs: number, callback: () => void): () => void {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, callback };
    this.#push(entry);
    return () => {
      entry.callback = undefined;
    };
  }

  after(durationMs: number, callback: () => void): () => void {
    return this.at(this.#nowMs + durationMs, callback);
  }

  /** Runs every event up to that time. Rejects with what an event throws. */
  async runUntil(limitMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isOver = false;
    const end = (settle: () => void): void => {
      isOver = true;
      settle();
    };
    const step = (): void => {
      if (isOver) return;
      const entry = this.#next();
      if (entry === undefined || entry.atMs > limitMs) {
        if (entry !== undefined) this.#push(entry);
        this.#nowMs = limitMs;
        end(resolve);
        return;
      }
      try {
        this.#run(entry);
      } catch (error) {
        end(() => reject(error));
      }
    };
    const batch = (): void => {
      for (let index = 1; index < BATCH; index++) setImmediate(step);
      setImmediate(() => {
        step();
        if (!isOver) batch();
      });
    };
    batch();
    await promise;
  }

  #run({ atMs, callback }: Entry): void {
    this.#eventsThisInstant = atMs === this.#nowMs ? this.#eventsThisInstant + 1 : 0;
    if (this.#eventsThisInstant > EVENTS_PER_INSTANT_MAX) {
      throw new Error(`time stands still at ${this.#nowMs} ms: something repeats itself without waiting`);
    }
    this.#nowMs = atMs;
    this.#events += 1;
    callback?.();
  }

  /** The next entry that was not cancelled, taken out. */
  #next(): Entry | undefined {
    for (;;) {
      const entry = this.#pop();
      if (entry === undefined || entry.callback !== undefined) return entry;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
