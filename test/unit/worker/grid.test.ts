import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { gridOf, nextSlot, slotAt, tickLimits } from "../../../worker/tenure/grid.ts";

const grid = { periodMs: 1_000, phaseMs: 300 };

describe("the grid of a city", () => {
  test("is the same for everybody who knows the name and the period", () => {
    expect(gridOf("madrid", 5_000)).toEqual(gridOf("madrid", 5_000));
    expect(gridOf("madrid", 5_000).phaseMs).toBe(3_552);
  });

  test("spreads cities over the period", () => {
    const phases = Array.from({ length: 1_000 }, (_, index) => gridOf(`city-${index}`, 10_000).phaseMs);
    const tenths = new Set(phases.map((phase) => Math.floor(phase / 1_000)));
    expect(tenths.size).toBe(10);
  });

  test("names a slot by its start, at or before the time and less than a period away", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 600_000 }),
        fc.string(),
        fc.integer({ min: 0, max: 2 ** 45 }),
        (periodMs, city, timeMs) => {
          const anyGrid = gridOf(city, periodMs);
          const slotMs = slotAt(anyGrid, timeMs);
          expect(slotMs).toBeLessThanOrEqual(timeMs);
          expect(timeMs - slotMs).toBeLessThan(periodMs);
          expect(slotAt(anyGrid, slotMs)).toBe(slotMs);
        },
      ),
    );
  });
});

describe("the next slot", () => {
  test("is the current one, at once, for a city that never ticked", () => {
    expect(nextSlot(grid, 10_700, undefined)).toEqual({ slotMs: 10_300, startsInMs: 0, skipped: 0 });
  });

  test("is the current one, at once, when a hand-over fenced its tick out", () => {
    expect(nextSlot(grid, 10_900, 9_300)).toEqual({ slotMs: 10_300, startsInMs: 0, skipped: 0 });
  });

  test("is the following one, at its start, when the current one is in", () => {
    expect(nextSlot(grid, 10_700, 10_300)).toEqual({ slotMs: 11_300, startsInMs: 600, skipped: 0 });
  });

  test("skips and counts the slots that passed", () => {
    expect(nextSlot(grid, 14_400, 10_300)).toEqual({ slotMs: 14_300, startsInMs: 0, skipped: 3 });
  });

  test("is not run twice when the clock reads a moment before the slot that is in", () => {
    expect(nextSlot(grid, 10_299, 10_300)).toEqual({ slotMs: 11_300, startsInMs: 1_001, skipped: 0 });
  });

  test("comes after a last slot that lies between two slots of a new period", () => {
    expect(nextSlot(grid, 10_700, 10_500).slotMs).toBe(11_300);
  });

  test("is the current one when the database's clock was set back far", () => {
    expect(nextSlot(grid, 10_700, 99_300)).toEqual({ slotMs: 10_300, startsInMs: 0, skipped: 0 });
  });

  test("always lies after the last one on a steady clock, and no two holders name it differently", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 10_000 }),
        fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 50 }),
        (periodMs, pauses) => {
          const anyGrid = gridOf("paris", periodMs);
          let nowMs = 1_700_000_000_000;
          let lastSlotMs: number | undefined;
          for (const pauseMs of pauses) {
            nowMs += pauseMs;
            const next = nextSlot(anyGrid, nowMs, lastSlotMs);
            if (lastSlotMs !== undefined) expect(next.slotMs).toBeGreaterThan(lastSlotMs);
            expect(slotAt(anyGrid, next.slotMs)).toBe(next.slotMs);
            nowMs += next.startsInMs;
            expect(nowMs - next.slotMs).toBeLessThan(periodMs);
            lastSlotMs = next.slotMs;
          }
        },
      ),
    );
  });
});

test("a tick's limits lie below its period", () => {
  for (const periodMs of [200, 1_000, 600_000]) {
    const limits = tickLimits(periodMs);
    expect(limits.tickMs).toBeLessThan(periodMs);
    expect(limits.dispatchMs).toBeLessThan(limits.tickMs);
  }
});
