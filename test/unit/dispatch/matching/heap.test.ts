import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { MinimumHeap } from "../../../../worker/dispatch/matching/heap.ts";

test("pairs leave a heap by key, and among equal keys by item, however they came in", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat({ max: 20 }))), (pairs) => {
      const heap = new MinimumHeap();
      for (const [key, item] of pairs) heap.push(key, item);
      const left: [number, number][] = [];
      for (let first = heap.pop(); first !== undefined; first = heap.pop())
        left.push([first.key, first.item]);
      expect(left).toEqual(pairs.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
  );
});

test("a cleared heap is empty", () => {
  const heap = new MinimumHeap();
  heap.push(1, 1);
  heap.clear();
  expect(heap.pop()).toBeUndefined();
});
