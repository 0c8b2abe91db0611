import type { StoryTick } from "../story.ts";
import type { CostParts, Explanation, ExplanationHead, Refusal } from "./explanation.ts";

/** Explanations in plain words. */

const PARTS: Readonly<Record<keyof CostParts, string>> = {
  lateAtPickup: "late at pickup",
  lateAtDoor: "late at the door",
  travel: "travel",
  waiting: "waiting",
  reassignment: "reassignment",
  age: "age",
};

const REFUSALS: Readonly<Record<Refusal, string>> = {
  capacity: "full",
  unacknowledged: "have not seen an earlier order yet",
  "not-free": "not free in time",
  "shift-over": "at the end of their shift",
  "position-stale": "last seen too long ago",
  vehicle: "without the vehicle for it",
  "too-far": "too far from the store",
  declined: "declined it before",
};

export function sayExplanation(explanation: Explanation, timeOf: (timeMs: number) => string): string {
  switch (explanation.kind) {
    case "assigned": {
      const { courier, from, with: others } = explanation;
      const bundle = others.length === 0 ? "" : `, together with ${others.join(" and ")}`;
      return from === undefined
        ? `assigned to ${courier}${bundle}`
        : `taken from ${from} and given to ${courier}${bundle}`;
    }
    case "held":
      return explanation.because === "courier-busy"
        ? `held: ${explanation.courier} is to have it and cannot set off before ${timeOf(explanation.lookAgainAtMs)}`
        : `held for ${explanation.courier}: setting off a tick later is early enough, looked at again at ${timeOf(explanation.lookAgainAtMs)}`;
    case "unassignable":
      return explanation.because === "nobody-may"
        ? `nobody may take it${sayRefusals(explanation.refusals)}`
        : `left without a courier: those who may take it are worth more to other orders${sayRefusals(explanation.refusals)}`;
    case "beyond-horizon":
      return `not looked at yet: ready too far ahead, looked at from ${timeOf(explanation.lookAtMs)}`;
    case "kept":
      return `stays with ${explanation.courier}`;
    default:
      return explanation satisfies never;
  }
}

/** A line for the cost and one for the runner-up, where there are any. */
export function sayCost(explanation: Explanation): readonly string[] {
  if (explanation.kind === "held") return [`cost ${costOf(explanation.cost)}`];
  if (explanation.kind !== "assigned") return [];
  const { cost, runnerUp } = explanation;
  const second =
    runnerUp === undefined
      ? "nobody else may take it"
      : `against ${runnerUp.courier}, who would cost ${costOf(runnerUp.cost)}`;
  return [`because it costs ${costOf(cost)}`, second];
}

export function sayDropped({ courier, because }: StoryTick["dropped"][number]): string {
  return `dropped by the database: not given to ${courier} after all, since ${because}`;
}

export function sayRefused({ decision, because }: ExplanationHead["refused"][number]): string {
  return `refused by the validator: not given to ${decision.courier}, since ${because}`;
}

/** "412.3 s (travel 300.0, late at pickup 112.3)": seconds of a courier's time, each part weighted. */
export function costOf(cost: CostParts): string {
  const parts = Object.entries(PARTS).flatMap(([name, words]) => {
    const part = cost[name as keyof CostParts];
    return part === 0 ? [] : [`${words} ${(part / 10).toFixed(1)}`];
  });
  const total = Object.values(cost).reduce((sum, part) => sum + part, 0);
  return `${(total / 10).toFixed(1)} s${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}

function sayRefusals(refusals: Readonly<Partial<Record<Refusal, number>>>): string {
  const counts = Object.entries(refusals).map(
    ([refusal, count]) => `${count} ${REFUSALS[refusal as Refusal] ?? refusal}`,
  );
  return counts.length === 0 ? "" : ` (couriers: ${counts.join(", ")})`;
}
