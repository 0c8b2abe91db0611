import type { Clock } from "../../runtime/clock.ts";

/** Time that stands still until a test moves it. */
export type FakeClock = Clock & {
  /**
   * Moves time on, stopping at every timer on the way: each is called at its own moment, and what it wakes runs before the
   * next one.
   */
  advance(durationMs: number): Promise<void>;
  /** Lets everything run that needs no time. */
  settle(): Promise<void>;
  /** Moves only the wall clock, as an administrator or a time server does. */
  jumpWall(durationMs: number): void;
  /** How many timers are waiting: what a test of a clean end looks at. */
  timerCount(): number;
};

const TURNS_PER_SETTLE = 5;

export function createFakeClock(startWallMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = 0;
  let wallOffsetMs = startWallMs;
  let order = 0;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS_PER_SETTLE; turn++) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  const nextDue = (limitMs: number): number | undefined => {
    let best: { readonly id: number; readonly atMs: number } | undefined;
    for (const [id, { atMs }] of timers) {
      if (atMs <= limitMs && (best === undefined || atMs < best.atMs)) best = { id, atMs };
    }
    return best?.id;
  };
  const schedule = (durationMs: number, callback: () => void): (() => void) => {
    const id = order++;
    timers.set(id, { atMs: nowMs + Math.max(0, durationMs), callback });
    return () => {
      timers.delete(id);
    };
  };
  return {
    wallMs: () => wallOffsetMs + nowMs,
    monotonicMs: () => nowMs,
    schedule,
    async sleep(durationMs, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const cancel = schedule(durationMs, resolve);
      const onAbort = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    async advance(durationMs) {
      const limitMs = nowMs + durationMs;
      await settle();
      for (let id = nextDue(limitMs); id !== undefined; id = nextDue(limitMs)) {
        const timer = timers.get(id);
        timers.delete(id);
        nowMs = Math.max(nowMs, timer?.atMs ?? nowMs);
        timer?.callback();
        await settle();
      }
      nowMs = limitMs;
      await settle();
    },
    settle,
    jumpWall(durationMs) {
      wallOffsetMs += durationMs;
    },
    timerCount: () => timers.size,
  };
}
