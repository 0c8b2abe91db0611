import { expect, test } from "@jest/globals";
import { assert, integer, property, uniqueArray } from "fast-check";
import { createEventQueue } from "../../../local/traffic/event-queue.ts";

test("an event queue gives its events in their order, whatever the order of insertion, and only those that are due", () => {
  assert(
    property(uniqueArray(integer()), integer(), (numbers, due) => {
      const queue = createEventQueue<number>((left, right) => left - right);
      for (const number of numbers) queue.push(number);
      const taken: number[] = [];
      for (;;) {
        const next = queue.takeIf((number) => number <= due);
        if (next === undefined) break;
        taken.push(next);
      }
      expect(taken).toEqual(numbers.filter((number) => number <= due).sort((a, b) => a - b));
      expect(queue.size()).toBe(numbers.length - taken.length);
    }),
  );
});
