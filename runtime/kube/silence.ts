import type { Clock } from "../clock.ts";

/**
 * Calls `onSilence` once, when nothing has been heard for `limitMs`, counted from now or from `lastHeardMs` if that is
 * later. One timer that looks again, not one per event. Returns how to stop listening.
 */
export function listenForSilence(input: {
  readonly clock: Clock;
  readonly limitMs: number;
  /** On the monotonic clock. */
  readonly lastHeardMs: () => number | undefined;
  readonly onSilence: () => void;
}): () => void {
  const { clock, limitMs, lastHeardMs, onSilence } = input;
  const sinceMs = clock.monotonicMs();
  const look = (): void => {
    const restMs = Math.max(sinceMs, lastHeardMs() ?? sinceMs) + limitMs - clock.monotonicMs();
    if (restMs > 0) cancel = clock.schedule(restMs, look);
    else onSilence();
  };
  let cancel = clock.schedule(limitMs, look);
  return () => {
    cancel();
  };
}
