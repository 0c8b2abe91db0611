import { setTimeout as sleepFor } from "node:timers/promises";

/** Time as every process reads it: handed in, so that tests and simulation can own it. */
export type Clock = {
  /** Milliseconds since 1970, for people and for Lease texts; it may jump. */
  wallMs(): number;
  /** Milliseconds on a clock that never jumps nor goes back: the only one that durations and deadlines are taken from. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason as soon as it aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
  /** Calls `callback` once after `durationMs`, unless the returned function was called before. */
  schedule(durationMs: number, callback: () => void): () => void;
};

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await sleepFor(Math.max(0, durationMs), undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
  schedule(durationMs, callback) {
    const timer = setTimeout(callback, Math.max(0, durationMs));
    return () => {
      clearTimeout(timer);
    };
  },
};
