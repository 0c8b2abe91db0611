import type { Clock } from "../../runtime/clock.ts";
import { assert, OperationalError } from "../../runtime/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";
import { startDispatchThread, type DispatchThread } from "./dispatch-thread.ts";

/**
 * Runs the pure dispatcher in threads, so that heartbeats and watches never wait for it. Calls start in the order in
 * which they came; a thread that hangs or crashes costs the one call that it ran.
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
    parameters: DispatchParameters,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DispatchResult>;
  /** Rejects all calls with `dispatch-closed` and resolves when every thread is gone. */
  close(): Promise<void>;
};

export const HARD_DEADLINE_FACTOR = 1.5;
const WAITING_CALLS_MAX = 1_000;

type Call = {
  readonly snapshot: DispatchSnapshot;
  readonly parameters: DispatchParameters;
  /** On the monotonic clock. */
  readonly deadlineAtMs: number;
  readonly hardDeadlineAtMs: number;
  readonly answer: PromiseWithResolvers<DispatchResult>;
  /** Where it runs; undefined while it waits. */
  slot: Slot | undefined;
  cancelTimer: () => void;
};

/** One place for a thread. Empty when its thread ended while idle, until a call needs it. */
type Slot = { thread: DispatchThread | undefined; isBusy: boolean };

export function createDispatchPool(input: {
  readonly threads: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How many calls may wait for a thread. */
  readonly waitingCallsMax?: number;
  /** What the threads run; it follows `protocol.ts`. */
  readonly threadModule?: URL;
}): DispatchPool {
  assert(input.threads >= 1, "a dispatch pool needs a thread");
  return new ThreadPool({
    waitingCallsMax: WAITING_CALLS_MAX,
    threadModule: new URL("thread.ts", import.meta.url),
    ...input,
  });
}

class ThreadPool implements DispatchPool {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #threadModule: URL;
  readonly #waitingCallsMax: number;
  readonly #slots: Slot[];
  readonly #waiting: Call[] = [];
  readonly #running = new Set<Call>();
  /** Threads on their way out; close() waits for them. */
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(input: {
    readonly threads: number;
    readonly clock: Clock;
    readonly log: Log;
    readonly waitingCallsMax: number;
    readonly threadModule: URL;
  }) {
    this.#clock = input.clock;
    this.#log = input.log;
    this.#threadModule = input.threadModule;
    this.#waitingCallsMax = input.waitingCallsMax;
    this.#slots = Array.from({ length: input.threads }, () => ({ thread: this.#start(), isBusy: false }));
  }

  async run(
    snapshot: DispatchSnapshot,
    parameters: DispatchParameters,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<DispatchResult> {
    signal.throwIfAborted();
    if (this.#isClosed) throw closed();
    const isFull = this.#waiting.length >= this.#waitingCallsMax;
    if (isFull && this.#slots.every(({ isBusy }) => isBusy)) {
      throw overloaded(`${this.#waiting.length} calls wait for a dispatch thread already`);
    }
    const nowMs = this.#clock.monotonicMs();
    const call: Call = {
      snapshot,
      parameters,
      deadlineAtMs: nowMs + deadlineMs,
      hardDeadlineAtMs: nowMs + deadlineMs * HARD_DEADLINE_FACTOR,
      answer: Promise.withResolvers<DispatchResult>(),
      slot: undefined,
      // Not until the hard deadline: a call that starts too late takes a healthy thread down with it.
      cancelTimer: this.#clock.schedule(deadlineMs, () => {
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
      call.cancelTimer();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of [...this.#waiting, ...this.#running]) this.#giveUp(call, closed());
    for (const slot of this.#slots) this.#empty(slot);
    await Promise.all(this.#ending);
  }

  /** Gives every idle slot the call that has waited longest. */
  #pump(): void {
    for (const slot of this.#slots) {
      if (slot.isBusy) continue;
      const call = this.#waiting.shift();
      if (call === undefined) return;
      slot.isBusy = true;
      call.slot = slot;
      this.#running.add(call);
      call.cancelTimer();
      call.cancelTimer = this.#clock.schedule(call.hardDeadlineAtMs - this.#clock.monotonicMs(), () => {
        this.#giveUp(call, overrun());
      });
      void this.#serve(slot, call);
    }
  }

  /** Never rejects: what happens to the call is told through its answer, which `run` awaits. */
  async #serve(slot: Slot, call: Call): Promise<void> {
    if (slot.thread === undefined || slot.thread.isOver()) slot.thread = this.#start();
    const thread = slot.thread;
    try {
      const result = await thread.call({
        snapshot: call.snapshot,
        parameters: call.parameters,
        remainingMs: Math.max(0, call.deadlineAtMs - this.#clock.monotonicMs()),
      });
      call.answer.resolve(result);
    } catch (error) {
      call.answer.reject(error);
    }
    // Given up, the slot has long been emptied and serves others.
    if (!this.#running.delete(call)) return;
    if (thread.isOver()) this.#replace(slot, "dispatch-crashed");
    slot.isBusy = false;
    this.#pump();
  }

  /** Ends a call from outside: one that waits leaves the queue, one that runs takes its thread with it. */
  #giveUp(call: Call, reason: Error): void {
    call.answer.reject(reason);
    const place = this.#waiting.indexOf(call);
    if (place !== -1) this.#waiting.splice(place, 1);
    if (!this.#running.delete(call) || call.slot === undefined) return;
    this.#empty(call.slot);
    call.slot.isBusy = false;
    if (this.#isClosed) return;
    this.#replace(call.slot, reason instanceof OperationalError ? reason.code : "aborted");
    this.#pump();
  }

  #start(): DispatchThread {
    return startDispatchThread(this.#threadModule);
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
