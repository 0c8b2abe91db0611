import { expect, test } from "@jest/globals";
import { ageText, labelled, shortNames, table } from "../../../plugin/text.ts";

test("an age is written as kubectl writes it", () => {
  const ages = [0, 5_400, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000];
  expect(ages.map(ageText)).toEqual(["0s", "5s", "119s", "2m", "119m", "2h", "2d"]);
  // This machine's clock may be behind.
  expect(ageText(-3_000)).toBe("0s");
});

test("workers' names in a table lose what all of them share, and never their own part", () => {
  const ids = ["city-operator-worker-7f9c-x2x9z-a1b2c3", "city-operator-worker-7f9c-k8k2p-d4e5f6"];
  expect(ids.map(shortNames(ids))).toEqual(["x2x9z-a1b2c3", "k8k2p-d4e5f6"]);
  const two = ["city-operator-worker-7f9c-x2x9z-a1b2c3", "city-operator-worker-7f9c-x2x9z-d4e5f6"];
  expect(two.map(shortNames(two))).toEqual(["x2x9z-a1b2c3", "x2x9z-d4e5f6"]);
  expect(["worker-1-aaaaaa"].map(shortNames(["worker-1-aaaaaa", "worker-2-bbbbbb"]))).toEqual([
    "worker-1-aaaaaa",
  ]);
});

test("a long text is broken between words and stays under itself", () => {
  expect(labelled("why", "one two three", 5, 13)).toEqual(["why  one two", "     three"]);
});

test("a table's columns are as wide as their widest cells", () => {
  expect(
    table(
      ["A", "B"],
      [
        ["1", "2"],
        ["333", ""],
      ],
    ),
  ).toEqual(["A    B", "1    2", "333"]);
});
