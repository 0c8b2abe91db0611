import { describe, expect, test } from "@jest/globals";
import {
  GOOD_TICKS_TO_RETURN,
  isolationAfter,
  isolationAtStart,
  REST_MS_MAX,
  restMs,
  SHARED,
  type Isolation,
} from "../../../worker/tenure/isolation.ts";
import type { TickOutcome } from "../../../worker/tenure/tick.ts";

const PERIOD_MS = 1_000;
const committed: TickOutcome = { kind: "committed", tick: 1n, slotMs: 0, commitId: "c" };
const overrun: TickOutcome = { kind: "missed", because: "dispatch-overrun" };
const crashed: TickOutcome = { kind: "missed", because: "dispatch-crashed" };

function after(start: Isolation, ...outcomes: readonly TickOutcome[]): Isolation {
  return outcomes.reduce((isolation, outcome) => isolationAfter(isolation, outcome, false), start);
}

const good = (count: number): TickOutcome[] => Array.from({ length: count }, () => committed);

describe("a city", () => {
  test("is isolated by the first harm that its dispatch does, and not by what befalls it", () => {
    expect(after(SHARED, overrun)).toEqual({ kind: "isolated", goodTicks: 0, failures: 1 });
    expect(after(SHARED, crashed)).toEqual({ kind: "isolated", goodTicks: 0, failures: 1 });
    const misfortunes: TickOutcome[] = [
      { kind: "missed", because: "database-unreachable" },
      { kind: "missed", because: "dispatch-overloaded" },
      { kind: "missed", because: "deadline-exceeded" },
      { kind: "unknown" },
      { kind: "outpaced" },
      { kind: "reload" },
      { kind: "fenced" },
    ];
    for (const misfortune of misfortunes) {
      expect(after(SHARED, misfortune)).toEqual(SHARED);
      expect(after(SHARED, overrun, misfortune)).toEqual(after(SHARED, overrun));
    }
  });

  test("comes back after so many good ticks in a row", () => {
    expect(after(SHARED, overrun, ...good(GOOD_TICKS_TO_RETURN - 1)).kind).toBe("isolated");
    expect(after(SHARED, overrun, ...good(GOOD_TICKS_TO_RETURN))).toEqual(SHARED);
    const interrupted = [...good(GOOD_TICKS_TO_RETURN - 1), crashed, ...good(GOOD_TICKS_TO_RETURN - 1)];
    expect(after(SHARED, overrun, ...interrupted).kind).toBe("isolated");
  });

  test("rests one period after the first harm, twice as long after each further, and not after a good tick", () => {
    const rests = [1, 2, 3, 4].map((count) =>
      restMs(after(SHARED, ...Array.from({ length: count }, () => overrun)), PERIOD_MS),
    );
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(restMs(after(SHARED, overrun, overrun, committed), PERIOD_MS)).toBe(0);
    expect(restMs(SHARED, PERIOD_MS)).toBe(0);
    const hopeless = after(SHARED, ...Array.from({ length: 100 }, () => overrun));
    expect(restMs(hopeless, PERIOD_MS)).toBe(REST_MS_MAX);
    expect(restMs(hopeless, 2 * REST_MS_MAX)).toBe(2 * REST_MS_MAX);
  });

  test("does not rest when another dispatcher stands in", () => {
    const isolated = isolationAfter(after(SHARED, overrun), crashed, true);
    expect(isolated).toEqual({ kind: "isolated", goodTicks: 0, failures: 0 });
    expect(restMs(isolated, PERIOD_MS)).toBe(0);
  });

  test("starts isolated, without a rest, when its tenures elsewhere came to nothing", () => {
    const suspect = isolationAtStart(undefined, 1);
    expect(suspect.kind).toBe("isolated");
    expect(restMs(suspect, PERIOD_MS)).toBe(0);
    expect(isolationAtStart(undefined, 0)).toEqual(SHARED);
  });

  test("is not forgotten when its token changes, but a new tenure does not rest first", () => {
    const known = after(SHARED, overrun, overrun);
    expect(isolationAtStart(known, 0)).toEqual({ ...known, failures: 0 });
  });
});
