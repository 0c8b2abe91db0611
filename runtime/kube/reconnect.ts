import { backoffMs, type BackoffLimits } from "../backoff.ts";

/** How a reflector goes on after a list or a watch ended: pure, from how it ended and what failed before. */

export type Ended =
  /** The API server ended the watch after the time that we had asked for. */
  | { readonly kind: "timed-out" }
  /** Nothing came for too long: either nothing happened, or the connection is dead and nobody told us. */
  | { readonly kind: "silent" }
  /** The connection broke, ended early, or a request failed. */
  | { readonly kind: "lost" }
  /** The API server no longer has the history from where we were (410). */
  | { readonly kind: "expired" };

export type ReconnectLimits = {
  /** Wait before the first attempt after a watch that had lasted: most breaks are a restart of one of several servers. */
  readonly quickRetryMs: number;
  /** From the second attempt in a row on. */
  readonly backoff: BackoffLimits;
  /** A watch that lasted this long was a good one, whatever ended it. */
  readonly stableMs: number;
};

/**
 * client-go's reflector backs off from 0.8 s to 30 s. Ours comes back sooner, for a worker must see its Leases soon after the
 * API server returned: with half of the time random, 1,000 reflectors make about 270 attempts a second at the most.
 */
export const RECONNECT_LIMITS: ReconnectLimits = {
  quickRetryMs: 100,
  backoff: { firstMs: 400, maxMs: 5_000 },
  stableMs: 10_000,
};

export type Reconnect = {
  readonly delayMs: number;
  /** Failures in a row, to be handed in again next time. */
  readonly failures: number;
  readonly isRelistNeeded: boolean;
};

export function decideReconnect(input: {
  readonly ended: Ended;
  /** How long the watch had delivered, 0 when it never began. */
  readonly livedMs: number;
  readonly failures: number;
  readonly limits: ReconnectLimits;
  readonly random: () => number;
}): Reconnect {
  const { ended, livedMs, limits, random } = input;
  // While nothing was heard history may have been rewritten and have grown past what we had seen: only a list tells. Only
  // a watch that ended in good order was with an API server until then.
  const isRelistNeeded = ended.kind !== "timed-out";
  if (ended.kind === "timed-out" || ended.kind === "silent")
    return { delayMs: 0, failures: 0, isRelistNeeded };
  const failures = livedMs >= limits.stableMs ? 1 : input.failures + 1;
  // Half to one and a half times, so that hundreds of workers do not come back in the same moment.
  const delayMs =
    failures === 1 ? limits.quickRetryMs * (0.5 + random()) : backoffMs(limits.backoff, failures - 2, random);
  return { delayMs, failures, isRelistNeeded };
}

/** Whether the API server's present resourceVersion says that it went back in time, as after a restore from backup. */
export function isHistoryRewritten(input: { readonly present: string; readonly lastSeen: string }): boolean {
  const { present, lastSeen } = input;
  if (!DECIMAL.test(present) || !DECIMAL.test(lastSeen)) return false;
  return BigInt(present) < BigInt(lastSeen);
}

const DECIMAL = /^[0-9]+$/;
