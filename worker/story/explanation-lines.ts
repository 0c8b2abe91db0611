import type { ExplanationHead } from "../../db/story/explanation.ts";
import { lineBeginning } from "../../db/story/explanation-lines.ts";
import type { Explanation } from "../dispatch/model.ts";

/** The explanations of a tick as the text that `db/story/explanation-lines.ts` reads. */

export type EncodedExplanations = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many were left out so that the others fit. */
  readonly leftOut: number;
};

/** Before compression, which makes about a tenth of it: 4,000 orders and more fit. */
export const EXPLANATION_BYTES_MAX = 1_048_576;
/** The least interesting first: what stays as it was needs no reason. */
const LEAVE_OUT_ORDER = ["kept", "beyond-horizon", "held", "unassignable", "assigned"] as const;

export function encodeExplanations(
  head: ExplanationHead,
  explanations: readonly Explanation[],
  bytesMax = EXPLANATION_BYTES_MAX,
): EncodedExplanations {
  const lines = explanations.map(lineOf);
  const chosen = choose(explanations, lines, bytesMax);
  const text = [JSON.stringify(head), ...chosen, ""].join("\n");
  return { bytes: new TextEncoder().encode(text), leftOut: lines.length - chosen.length };
}

/** The order's id first, by which its line is found. */
function lineOf({ order, ...rest }: Explanation): string {
  return `${lineBeginning(order)}${JSON.stringify(rest).slice(1)}`;
}

/** Those that fit, by how interesting they are. */
function choose(explanations: readonly Explanation[], lines: readonly string[], bytesMax: number): string[] {
  const sizes = lines.map((line) => Buffer.byteLength(line) + 1);
  let excess = sizes.reduce((sum, size) => sum + size, 0) - bytesMax;
  const leftOut = new Set<number>();
  for (const kind of LEAVE_OUT_ORDER) {
    for (let index = 0; index < lines.length && excess > 0; index++) {
      if (explanations[index]?.kind !== kind) continue;
      leftOut.add(index);
      excess -= sizes[index] ?? 0;
    }
  }
  return lines.filter((_, index) => !leftOut.has(index));
}
