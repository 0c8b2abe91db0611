/** Durations as Kubernetes people write them: "200ms", "5s", "1m30s", "2h". */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);
const DURATION = /^(?:[0-9]+(?:ms|s|m|h))+$/;
const PART = /([0-9]+)(ms|s|m|h)/g;

/** Text → whole milliseconds. Throws a RangeError that says what to write instead. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} is not a duration: write it like "200ms", "5s" or "1m30s"`);
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) {
    totalMs += Number(amount) * (UNIT_MS.get(unit ?? "") ?? 0);
  }
  return totalMs;
}

/** Milliseconds → the shortest text of the same length of time: 90000 → "1m30s". */
export function formatDuration(durationMs: number): string {
  let restMs = Math.round(durationMs);
  if (restMs <= 0) return "0s";
  let text = "";
  for (const [unit, unitMs] of [...UNIT_MS].toReversed()) {
    const amount = Math.floor(restMs / unitMs);
    restMs -= amount * unitMs;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text;
}
