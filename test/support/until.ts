import { setTimeout as sleep } from "node:timers/promises";

const POLL_INTERVAL_MS = 10;

/** Waits until the condition holds, for tests against real servers; rejects when the signal aborts first. */
export async function until(condition: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) await sleep(POLL_INTERVAL_MS, undefined, { signal });
}
