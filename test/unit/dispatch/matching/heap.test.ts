import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { MinimumHeap } from "../../../../worker/dispatch/matching/heap.ts";

test("items leave a heap by key, and among equal keys by item, however they came in", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat({ max: 20 }))), (pairs) => {
      const heap = new MinimumHeap();
      for (const [key, item] of pairs) heap.push(key, item);
      expect(heap.size).toBe(pairs.length);
      const left = pairs.map(() => heap.pop());
      expect(left).toEqual(pairs.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, item]) => item));
      expect(heap.pop()).toBe(-1);
    }),
  );
});

test("a heap grows with what is in it", () => {
  const heap = new MinimumHeap();
  for (let item = 1_000; item > 0; item--) heap.push(item, item);
  const left = Array.from({ length: 1_000 }, () => heap.pop());
  expect(left).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
});

test("a cleared heap is empty", () => {
  const heap = new MinimumHeap();
  heap.push(1, 1);
  heap.clear();
  expect(heap.pop()).toBe(-1);
});
