/** Exponential back-off with full jitter above a floor, as client-go's reflectors use it. */

export type BackoffLimits = { readonly firstMs: number; readonly maxMs: number };

/** Time to wait before attempt `attempt` (0 = the first repetition): between half and all of first · 2^attempt, at most `maxMs`. */
export function backoffMs(limits: BackoffLimits, attempt: number, random: () => number): number {
  const ceilingMs = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30));
  return ceilingMs / 2 + (ceilingMs / 2) * random();
}
