import type { Deadline, Decision, DispatchParameters, Explanation } from "../dispatch/model.ts";
import { decide, type DispatchVerdict } from "../dispatchers/decide.ts";
import type { LoadDispatcher } from "../dispatchers/load.ts";
import { costOf, sayExplanation } from "../../db/story/words.ts";
import type { TickRecord } from "./record.ts";

/** What to decide otherwise than the record says. */
export type ReplayChanges = {
  readonly dispatcher?: string | undefined;
  /** In the dispatcher's units, as a record has them; weights one by one. */
  readonly parameters?: Partial<DispatchParameters>;
};

/**
 * Decides a recorded tick again, under a deadline that passes at the same count. Rejects with the failure of a dispatcher
 * that is not found, throws, or answers in a wrong form.
 */
export async function replay(
  { dispatcher, parameters, own, snapshot, deadlineChecks }: TickRecord,
  changes: ReplayChanges,
  load: LoadDispatcher,
): Promise<DispatchVerdict> {
  const weights = { ...parameters.weights, ...changes.parameters?.weights };
  return decide(
    {
      dispatchers: [changes.dispatcher ?? dispatcher],
      parameters: { ...parameters, ...changes.parameters, weights },
      own,
    },
    () => structuredClone(snapshot),
    load,
    deadlineOf(deadlineChecks),
  );
}

function deadlineOf(checks: number | undefined): Deadline {
  let count = 0;
  return { hasPassed: () => checks !== undefined && count++ >= checks };
}

/** What differs, in plain words, order by order; empty: the replay came to the very same result. */
export function differences(record: TickRecord, { result }: DispatchVerdict): readonly string[] {
  const before = byOrder(record.result.decisions);
  const now = byOrder(result.decisions);
  const explainedBefore = byOrder(record.result.explanations);
  const explainedNow = byOrder(result.explanations);
  const orders = [...new Set([...before.keys(), ...now.keys()])].toSorted();
  const lines = orders.flatMap((order) => {
    if (isSame(before.get(order), now.get(order))) return [];
    return [
      `order ${order}`,
      `  recorded: ${sayDecision(before.get(order), explainedBefore.get(order))}`,
      `  replayed: ${sayDecision(now.get(order), explainedNow.get(order))}`,
    ];
  });
  if (record.result.degraded !== result.degraded) {
    lines.push(`degraded: recorded ${record.result.degraded}, replayed ${result.degraded}`);
  }
  return lines;
}

function byOrder<Item extends { readonly order: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.order, item]));
}

function isSame(a: Decision | undefined, b: Decision | undefined): boolean {
  return a?.courier === b?.courier && a?.stop === b?.stop && a?.from === b?.from;
}

function sayDecision(decision: Decision | undefined, explanation: Explanation | undefined): string {
  const explained = explanation === undefined ? "" : sayExplanation(explanation, timeOf);
  const cost = explanation !== undefined && "cost" in explanation ? `, cost ${costOf(explanation.cost)}` : "";
  if (decision === undefined) return explained === "" ? "nothing decided" : `${explained}${cost}`;
  const taken = decision.from === undefined ? "" : ` from ${decision.from}`;
  return `to ${decision.courier}${taken}, stop ${decision.stop}${cost}`;
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}
