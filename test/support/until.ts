import { setTimeout as sleep } from "node:timers/promises";

const POLL_INTERVAL_MS = 10;

/** Waits until the condition holds, for tests against real servers; rejects when the signal aborts first. */
export async function until(condition: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) await sleep(POLL_INTERVAL_MS, undefined, { signal });
}

/** The same with a limit in milliseconds; the error says what never happened. */
export async function happensWithin(
  limitMs: number,
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    await until(condition, limit);
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new Error(`${typeof what === "string" ? what : what()} did not happen within ${limitMs} ms`, {
      cause: error,
    });
  }
}
