import type { Explanation, ExplanationHead } from "./explanation.ts";

/**
 * The explanations of a tick as text: one JSON object per line, so that one order's is found without parsing all others.
 * The first line is about the tick as a whole.
 */

/** Every line but the first begins with the order's id, by which it is found. */
export function lineBeginning(order: string): string {
  return `{"order":${JSON.stringify(order)},`;
}

export function decodeHead(text: string): ExplanationHead {
  return JSON.parse(text.slice(0, text.indexOf("\n"))) as ExplanationHead;
}

/** Undefined: the order was not in the snapshot, or its explanation was left out. */
export function findExplanation(text: string, order: string): Explanation | undefined {
  const start = text.indexOf(`\n${lineBeginning(order)}`);
  if (start === -1) return undefined;
  return JSON.parse(text.slice(start + 1, text.indexOf("\n", start + 1))) as Explanation;
}

export function decodeExplanations(text: string): readonly Explanation[] {
  return text
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Explanation);
}
