import type { OpenOrder, ReferenceAssignment, ReferenceOrder, StoryTick } from "../story.ts";
import type { Explanation, ExplanationHead } from "./explanation.ts";
import { sayCost, sayDropped, sayExplanation, sayRefused } from "./words.ts";

/** One order's story from what the database says of it. Pure. */

/** What one tick says of the order; ticks that say nothing are left out. */
export type TickOfOrder = Pick<StoryTick, "tick" | "committedAtMs" | "dispatcher" | "leftOut"> & {
  readonly explanation: Explanation | undefined;
  readonly dropped: readonly StoryTick["dropped"][number][];
  readonly refused: readonly ExplanationHead["refused"][number][];
};

export type StoryFacts = {
  readonly ticks: readonly TickOfOrder[];
  readonly open: OpenOrder | undefined;
  readonly reference: ReferenceOrder | undefined;
  readonly assignments: readonly ReferenceAssignment[];
  /** There are more ticks than so many, and the later ones were not read; undefined: all were. */
  readonly unreadAfter: number | undefined;
};

/** Something that happened at a moment. Of one moment, what the ledger says comes first. */
type Event = { readonly atMs: number; readonly text: string; readonly details: readonly string[] };

/** One line per happening, in time; ticks that say the same one after the other are one line. */
export function tellStory(facts: StoryFacts): readonly string[] {
  const { reference, open, ticks } = facts;
  const placed = reference ?? open;
  const events: Event[] = [
    ...(placed === undefined
      ? []
      : [
          event(
            placed.placedAtMs,
            `placed; the store expects to hand it over at ${clockOf(placed.readyAtMs)}`,
          ),
        ]),
    ...eventsOfTicks(ticks),
    ...facts.assignments.flatMap((assignment) => eventsOfAssignment(assignment, ticks)),
    ...(reference === undefined ? [] : eventsOfOrder(reference)),
  ];
  const lines = events
    .toSorted((a, b) => a.atMs - b.atMs)
    .flatMap(({ atMs, text, details }) => [
      `${timeOf(atMs)}  ${text}`,
      ...details.map((line) => `${INDENT}${line}`),
    ]);
  const cut =
    facts.unreadAfter === undefined
      ? []
      : [`only the first ${facts.unreadAfter} ticks of its time were read`];
  return [...lines, ...cut, ...ending(facts)];
}

const INDENT = " ".repeat(21);

function event(atMs: number, text: string, details: readonly string[] = []): Event {
  return { atMs, text, details };
}

function eventsOfTicks(ticks: readonly TickOfOrder[]): Event[] {
  const events: Event[] = [];
  for (let index = 0; index < ticks.length;) {
    const first = ticks[index];
    if (first === undefined) break;
    const same = sameness(first);
    let end = index + 1;
    if (same !== undefined) {
      while (sameness(ticks[end]) === same) end++;
    }
    const last = ticks[end - 1] ?? first;
    events.push(...eventsOfRun(first, last, end - index));
    index = end;
  }
  return events;
}

/** Ticks with equal values say the same; undefined: worth a line of its own. */
function sameness(tick: TickOfOrder | undefined): string | undefined {
  const explanation = tick?.explanation;
  if (explanation === undefined || tick === undefined) return undefined;
  if (tick.dropped.length > 0 || tick.refused.length > 0 || explanation.kind === "assigned") return undefined;
  const { kind } = explanation;
  const because = "because" in explanation ? explanation.because : "";
  const courier = "courier" in explanation ? explanation.courier : "";
  return [tick.dispatcher, kind, because, courier].join(" ");
}

function eventsOfRun(first: TickOfOrder, last: TickOfOrder, count: number): Event[] {
  const events: Event[] = [];
  const { explanation, committedAtMs } = first;
  const by = first.dispatcher === "optimal" ? "" : ` by ${first.dispatcher}`;
  const which =
    count === 1
      ? `tick ${first.tick}${by}`
      : `ticks ${first.tick} to ${last.tick}${by}, the last at ${clockOf(last.committedAtMs)}`;
  if (explanation !== undefined) {
    events.push(
      event(committedAtMs, `${sayExplanation(explanation, timeOf)} (${which})`, sayCost(explanation)),
    );
  }
  for (const dropped of first.dropped) events.push(event(committedAtMs, `${sayDropped(dropped)} (${which})`));
  for (const refused of first.refused) events.push(event(committedAtMs, `${sayRefused(refused)} (${which})`));
  return events;
}

function eventsOfAssignment(assignment: ReferenceAssignment, ticks: readonly TickOfOrder[]): Event[] {
  const { courier, acceptedAtMs, endedAtMs, state } = assignment;
  const accepted = acceptedAtMs === undefined ? [] : [event(acceptedAtMs, `${courier} accepted it`)];
  if (endedAtMs === undefined) return accepted;
  if (state === "declined") return [...accepted, event(endedAtMs, `${courier} declined it`)];
  // The tick that took it says so by itself, while its explanation is kept.
  const isTold = ticks.some(
    ({ explanation }) => explanation?.kind === "assigned" && explanation.from === courier,
  );
  if (state === "reassigned" && !isTold) return [...accepted, event(endedAtMs, `taken from ${courier}`)];
  return accepted;
}

function eventsOfOrder({ pickedUpAtMs, deliveredAtMs, cancelledAtMs }: ReferenceOrder): Event[] {
  return [
    ...(pickedUpAtMs === undefined ? [] : [event(pickedUpAtMs, "picked up")]),
    ...(deliveredAtMs === undefined ? [] : [event(deliveredAtMs, "delivered")]),
    ...(cancelledAtMs === undefined ? [] : [event(cancelledAtMs, "cancelled")]),
  ];
}

/** How it stands now, as far as it can be known. */
function ending({ ticks, open, reference }: StoryFacts): readonly string[] {
  const last = ticks.at(-1);
  if (open !== undefined) {
    const declined = open.declinedBy.length === 0 ? "" : `; declined by ${open.declinedBy.join(", ")}`;
    const holder = open.courier === undefined ? "nobody has it" : `${open.courier} has it`;
    return [`now: open, ${holder}${declined}`];
  }
  if (reference !== undefined) return [`now: ${reference.status}`];
  if (last === undefined) return [];
  return [`now: no open order any more; tick ${last.tick} was the last that saw it`];
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
}

function clockOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}
