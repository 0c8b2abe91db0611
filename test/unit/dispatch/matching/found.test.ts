import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { Found } from "../../../../worker/dispatch/matching/found.ts";

test("the least are kept with what belongs to them, and the least of the others is told", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 60 }),
      (priced, count) => {
        const found = new Found(60);
        priced.forEach((value, column) => {
          found.add(column, value - 1_000, value);
        });
        const sorted = priced.toSorted((a, b) => a - b);
        expect(found.keepLeast(count)).toBe(sorted[count] ?? Infinity);
        expect(found.count).toBe(Math.min(count, priced.length));
        const kept = [...found.column.subarray(0, found.count)];
        expect(kept.map((column) => priced[column]!).toSorted((a, b) => a - b)).toEqual(
          sorted.slice(0, count),
        );
        kept.forEach((column, index) => {
          expect(found.priced[index]).toBe(priced[column]);
          expect(found.cost[index]).toBe(priced[column]! - 1_000);
        });
      },
    ),
  );
});
