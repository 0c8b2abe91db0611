import { expect, test } from "@jest/globals";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import type { Explanation } from "../../../worker/dispatch/model.ts";
import { decodeHead, findExplanation } from "../../../db/story/explanation-lines.ts";
import { encodeExplanations } from "../../../worker/story/explanation-lines.ts";
import { aRandomSnapshot, PARAMETERS } from "../../support/dispatch-snapshot.ts";

const HEAD = {
  failures: [{ dispatcher: "acme", because: "threw" as const, message: "a\nb" }],
  refused: [
    { decision: { order: "o1", courier: "c", stop: 1, from: undefined }, because: "too-far" as const },
  ],
};
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("every order's explanation is found again, and what went wrong", () => {
  const snapshot = aRandomSnapshot(5, { orders: 60, couriers: 40 });
  const { explanations } = dispatch(snapshot, PARAMETERS, { hasPassed: () => false });
  const { bytes, leftOut } = encodeExplanations(HEAD, explanations);
  expect(leftOut).toBe(0);
  for (const explanation of explanations) {
    expect(findExplanation(textOf(bytes), explanation.order)).toEqual(explanation);
  }
  expect(decodeHead(textOf(bytes))).toEqual(HEAD);
  expect(findExplanation(textOf(bytes), "o")).toBeUndefined();
});

test("an order may have any id", () => {
  const order = 'ñ"\n}{"order":"o1"';
  const { bytes } = encodeExplanations(HEAD, [{ order, kind: "kept", courier: "c" }]);
  expect(findExplanation(textOf(bytes), order)).toEqual({ order, kind: "kept", courier: "c" });
  expect(findExplanation(textOf(bytes), "o1")).toBeUndefined();
});

test("what does not fit is left out, the least interesting first, and counted", () => {
  const explanations: Explanation[] = [
    { order: "looked", kind: "unassignable", because: "nobody-may", refusals: {} },
    ...Array.from({ length: 50 }, (_, index): Explanation => ({
      order: `k${index}`,
      kind: "kept",
      courier: "c",
    })),
    { order: "later", kind: "beyond-horizon", lookAtMs: 1 },
  ];
  const { bytes, leftOut } = encodeExplanations(HEAD, explanations, 400);
  expect(leftOut).toBeGreaterThan(30);
  const text = textOf(bytes);
  expect(findExplanation(text, "k0")).toBeUndefined();
  expect(["looked", "later", "k49"].map((order) => findExplanation(text, order)?.order)).toEqual([
    "looked",
    "later",
    "k49",
  ]);
  const nothing = encodeExplanations(HEAD, explanations, 0);
  expect(nothing.leftOut).toBe(52);
  expect(decodeHead(textOf(nothing.bytes))).toEqual(HEAD);
});
