import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** Shorter than what a leader is given to stop. */
const TELL_AFTER_MS = 1_000;

/**
 * Waits for parts that work until the same signal. Rejects with the first failure. Those that have not ended a second after
 * the signal are named in the log: when a process ends itself for that, its log says which part it was.
 */
export async function waitForParts(
  parts: Readonly<Record<string, Promise<unknown>>>,
  input: {
    readonly clock: Clock;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { clock, log, signal } = input;
  const running = new Set(Object.keys(parts));
  const tell = (): void => {
    log.warn({ because: [...running].join(", "), durationMs: TELL_AFTER_MS }, "parts did not end yet");
  };
  let cancel = (): void => undefined;
  const onAbort = (): void => {
    cancel = clock.schedule(TELL_AFTER_MS, tell);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.all(
      Object.entries(parts).map(async ([name, part]) => part.finally(() => running.delete(name))),
    );
  } finally {
    signal.removeEventListener("abort", onAbort);
    cancel();
  }
}
