import type { Clock } from "../clock.ts";

/** Spreads work: on the average `perSecond`, after a pause up to `burst` at once. */
export type TokenBucket = {
  /** Takes a token when there is one. */
  take(): boolean;
  /** How many could be taken now. */
  available(): number;
  /** Milliseconds until the next token, 0 when there is one now. */
  waitMs(): number;
};

export function createTokenBucket(input: {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
}): TokenBucket {
  const { clock, perSecond, burst } = input;
  let tokens = burst;
  let refilledMs = clock.monotonicMs();
  const refill = (): void => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - refilledMs) / 1_000) * perSecond);
    refilledMs = nowMs;
  };
  // Adding many small parts never gives exactly one; without this a wait of the right length would end just short.
  const isWhole = (): boolean => tokens > 1 - 1e-9;
  return {
    take() {
      refill();
      if (!isWhole()) return false;
      tokens = Math.max(0, tokens - 1);
      return true;
    },
    available() {
      refill();
      return Math.floor(tokens + 1e-9);
    },
    waitMs() {
      refill();
      return isWhole() ? 0 : ((1 - tokens) / perSecond) * 1_000;
    },
  };
}
