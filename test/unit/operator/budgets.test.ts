import { expect, test } from "@jest/globals";
import { progressWritesPerSecond } from "../../../operator/cities/budgets.ts";

test.each([
  ["a small fleet writes progress at the full rate", 4, 20],
  ["heartbeats and progress together stay below 50 a second", 40, 8],
  ["where heartbeats alone are more than that, progress is still written", 400, 5],
])("%s", (_, heartbeatsPerSecond, expected) => {
  expect(progressWritesPerSecond(heartbeatsPerSecond)).toBe(expected);
});
