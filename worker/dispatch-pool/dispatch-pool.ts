import type { Clock } from "../../runtime/clock.ts";
import { assert, OperationalError } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { DispatchSnapshot } from "../dispatch/model.ts";
import { startDispatchThread, type DispatchThread, type ThreadSettings } from "./dispatch-thread.ts";
import type { DispatchAnswer, DispatchRequest } from "./protocol.ts";
import { encodeSnapshot, type EncodedSnapshot } from "./snapshot-codec.ts";

/** What the pool is asked beside the snapshot. */
export type PoolQuestion = Omit<DispatchRequest, "snapshot" | "remainingMs">;

/**
 * Runs dispatchers in threads, so that heartbeats and watches never wait for it. Calls start in the order in
 * which they came; a thread that hangs or crashes costs the one call that it ran. Those that wait behind it get a fresh
 * thread after `RELIEF_AFTER_MS`, or at its deadline: they need not wait until it is given up.
 */
export type DispatchPool = {
  /**
   * `deadlineMs` from now the dispatcher is asked to return what it has (a call that waited for a thread has that much
   * less), and `HARD_DEADLINE_FACTOR` times as long from now the call is over. Rejects with the signal's reason, or with an
   * OperationalError: `dispatch-overrun` (it did not return, its thread was terminated), `dispatch-crashed` (its thread
   * ended), `dispatch-overloaded` (too many calls wait, or no thread became free before the deadline),
   * `dispatch-closed`.
   */
  run(
    snapshot: DispatchSnapshot,
    question: PoolQuestion,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DispatchAnswer>;
  /** Whether no thread is still starting: a call now waits for nothing but others. */
  isReady(): boolean;
  /** Rejects all calls with `dispatch-closed` and resolves when every thread is gone. */
  close(): Promise<void>;
};

export const HARD_DEADLINE_FACTOR = 1.5;
/**
 * Several times what a large city takes, and little beside the shortest periods: a city with a long period, whose
 * deadline is far away, must not make one with a short period miss slots.
 */
export const RELIEF_AFTER_MS = 250;
const WAITING_CALLS_MAX = 1_000;
/** For a thread that is still starting when the call that it is for is over. */
const START_LIMIT_MS = 10_000;
/** A city's decision is in the tens of megabytes. */
export const HEAP_MEGABYTES_MAX = 512;

type Call = {
  readonly snapshot: EncodedSnapshot;
  readonly question: PoolQuestion;
  /** On the monotonic clock. */
  readonly deadlineAtMs: number;
  readonly hardDeadlineAtMs: number;
  readonly answer: PromiseWithResolvers<DispatchAnswer>;
  /** Where it runs; undefined while it waits. */
  slot: Slot | undefined;
  /** It has run for longer than others are to wait for it. */
  isOverdue: boolean;
  cancelTimers: () => void;
  cancelStartLimit: () => void;
};

type StartThread = (settings: ThreadSettings) => DispatchThread;

/** One place for a thread. Empty when its thread ended while idle, until a call needs it. */
type Slot = { thread: DispatchThread | undefined; isBusy: boolean };

export function createDispatchPool(input: {
  readonly threads: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How many calls may wait for a thread. */
  readonly waitingCallsMax?: number;
  readonly heapMegabytesMax?: number;
  /** Whether threads start before a call needs them. */
  readonly startsAtOnce?: boolean;
  /** What the threads run, see `ThreadSettings`. */
  readonly threadModule?: URL;
  /** The folder of the company's own dispatchers. */
  readonly dispatchers?: string | undefined;
  readonly startThread?: StartThread;
}): DispatchPool {
  assert(input.threads >= 1, "a dispatch pool needs a thread");
  return new ThreadPool({
    waitingCallsMax: WAITING_CALLS_MAX,
    heapMegabytesMax: HEAP_MEGABYTES_MAX,
    startsAtOnce: true,
    threadModule: new URL("thread.ts", import.meta.url),
    dispatchers: undefined,
    startThread: startDispatchThread,
    ...input,
  });
}

class ThreadPool implements DispatchPool {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #start: () => DispatchThread;
  readonly #waitingCallsMax: number;
  readonly #slots: Slot[];
  readonly #waiting: Call[] = [];
  readonly #running = new Set<Call>();
  /** Overdue calls whose place was given to others, with their threads. At most one per place. */
  readonly #detached = new Set<Call>();
  /** Threads on their way out; close() waits for them. */
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(input: Required<Parameters<typeof createDispatchPool>[0]>) {
    this.#clock = input.clock;
    this.#log = input.log;
    const { heapMegabytesMax, dispatchers, startThread } = input;
    this.#start = () => startThread({ module: input.threadModule, heapMegabytesMax, dispatchers });
    this.#waitingCallsMax = input.waitingCallsMax;
    this.#slots = Array.from({ length: input.threads }, () => ({
      thread: input.startsAtOnce ? this.#start() : undefined,
      isBusy: false,
    }));
  }

  async run(
    snapshot: DispatchSnapshot,
    question: PoolQuestion,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DispatchAnswer> {
    signal.throwIfAborted();
    if (this.#isClosed) throw closed();
    const isFull = this.#waiting.length >= this.#waitingCallsMax;
    if (isFull && this.#slots.every(({ isBusy }) => isBusy)) {
      throw overloaded(`${this.#waiting.length} calls wait for a dispatch thread already`);
    }
    const nowMs = this.#clock.monotonicMs();
    const call: Call = {
      snapshot: encodeSnapshot(snapshot),
      question,
      deadlineAtMs: nowMs + deadlineMs,
      hardDeadlineAtMs: nowMs + deadlineMs * HARD_DEADLINE_FACTOR,
      answer: Promise.withResolvers<DispatchAnswer>(),
      slot: undefined,
      isOverdue: false,
      cancelStartLimit: () => undefined,
      // Not until the hard deadline: a call that starts too late takes a healthy thread down with it.
      cancelTimers: this.#clock.schedule(deadlineMs, () => {
        this.#giveUp(call, overloaded(`no dispatch thread became free within ${deadlineMs} ms`));
      }),
    };
    const onAbort = (): void => this.#giveUp(call, signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(call);
    this.#pump();
    try {
      return await call.answer.promise;
    } finally {
      call.cancelTimers();
      signal.removeEventListener("abort", onAbort);
    }
  }

  isReady(): boolean {
    return this.#slots.every(({ thread }) => thread?.isReady() !== false);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of [...this.#waiting, ...this.#running]) this.#giveUp(call, closed());
    for (const slot of this.#slots) this.#empty(slot);
    await Promise.all(this.#ending);
  }

  /** Gives every idle slot the call that has waited longest. */
  #pump(): void {
    this.#relieve();
    for (const slot of this.#slots) {
      if (slot.isBusy) continue;
      const call = this.#waiting.shift();
      if (call === undefined) return;
      slot.isBusy = true;
      call.slot = slot;
      this.#running.add(call);
      call.cancelTimers();
      const nowMs = this.#clock.monotonicMs();
      const cancelOverdue = this.#clock.schedule(Math.min(RELIEF_AFTER_MS, call.deadlineAtMs - nowMs), () => {
        call.isOverdue = true;
        this.#pump();
      });
      const cancelOverrun = this.#clock.schedule(call.hardDeadlineAtMs - nowMs, () => {
        this.#overrun(call);
      });
      call.cancelTimers = () => {
        cancelOverdue();
        cancelOverrun();
      };
      void this.#serve(slot, call);
    }
  }

  /**
   * A thread that has not even loaded is not the city's doing, and goes on: on a machine without a free core, ending it would
   * begin the same start anew for each call, and none would ever be served.
   */
  #overrun(call: Call): void {
    if (call.slot?.thread?.isReady() !== false) {
      this.#giveUp(call, overrun());
      return;
    }
    call.answer.reject(overloaded("the dispatch thread did not start in time"));
    call.cancelStartLimit = this.#clock.schedule(START_LIMIT_MS, () => {
      this.#giveUp(call, overrun());
    });
  }

  /** Takes overdue calls out of their places, with their threads, for those that wait. */
  #relieve(): void {
    for (const call of this.#running) {
      if (this.#waiting.length === 0 || this.#detached.size >= this.#slots.length) return;
      // Where one thread is slow to start, a second one is no faster.
      if (!call.isOverdue || call.slot?.thread?.isReady() !== true || this.#detached.has(call)) continue;
      this.#detached.add(call);
      const { slot } = call;
      call.slot = { ...slot };
      slot.thread = undefined;
      slot.isBusy = false;
    }
  }

  /** Never rejects: what happens to the call is told through its answer, which `run` awaits. */
  async #serve(slot: Slot, call: Call): Promise<void> {
    if (slot.thread === undefined || slot.thread.isOver()) slot.thread = this.#start();
    const thread = slot.thread;
    try {
      const result = await thread.call({
        ...call.question,
        snapshot: call.snapshot,
        remainingMs: Math.max(0, call.deadlineAtMs - this.#clock.monotonicMs()),
      });
      call.answer.resolve(result);
    } catch (error) {
      call.answer.reject(error);
    }
    // Given up, the slot has long been emptied and serves others.
    if (!this.#running.delete(call) || call.slot === undefined) return;
    this.#vacate(call, call.slot, thread.isOver() ? "dispatch-crashed" : undefined);
  }

  /** Ends a call from outside: one that waits leaves the queue, one that runs takes its thread with it. */
  #giveUp(call: Call, reason: Error): void {
    call.answer.reject(reason);
    const place = this.#waiting.indexOf(call);
    if (place !== -1) this.#waiting.splice(place, 1);
    if (!this.#running.delete(call) || call.slot === undefined) return;
    this.#empty(call.slot);
    this.#vacate(call, call.slot, reason instanceof OperationalError ? reason.code : "aborted");
  }

  /** A call has left its place; `because` when its thread is lost. */
  #vacate(call: Call, slot: Slot, because: string | undefined): void {
    slot.isBusy = false;
    call.cancelStartLimit();
    if (this.#isClosed) return;
    // The place of a detached call has had a new thread for long.
    if (this.#detached.delete(call)) this.#empty(slot);
    else if (because !== undefined) this.#replace(slot, because);
    this.#pump();
  }

  #replace(slot: Slot, because: string): void {
    this.#log.warn({ because }, "dispatch thread replaced");
    slot.thread = this.#start();
  }

  #empty(slot: Slot): void {
    if (slot.thread === undefined) return;
    const ended = slot.thread.terminate();
    slot.thread = undefined;
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }
}

function overloaded(message: string): OperationalError {
  return new OperationalError({ code: "dispatch-overloaded", remedy: "retry", message });
}

function overrun(): OperationalError {
  return new OperationalError({
    code: "dispatch-overrun",
    remedy: "retry",
    message: "the dispatcher did not return long after its deadline, its thread was terminated",
  });
}

function closed(): OperationalError {
  return new OperationalError({
    code: "dispatch-closed",
    remedy: "give-up",
    message: "the dispatch pool is closed",
  });
}
