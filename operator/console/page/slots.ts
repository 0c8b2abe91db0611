import type { SlotTick } from "./picture.ts";

/** The slots of one city's grid in time: which were committed, by whom, and which were missed. Pure. */

export type Slot =
  | { readonly kind: "committed"; readonly slotMs: number; readonly number: string; readonly tick: SlotTick }
  /** Nothing was committed in `count` slots in a row. */
  | { readonly kind: "missed"; readonly slotMs: number; readonly count: number };

/** Slots in a row with one holder. */
export type Tenure = {
  readonly holder: string;
  readonly firstTick: string;
  readonly lastTick: string;
  readonly ticks: number;
};

/** A long gap counts as it is and is drawn so long at most. */
export const GAP_SHOWN_MAX = 12;

/** From ticks by number; the oldest first. Slots after the last tick are not missed, they are not over. */
export function slotsOf(ticks: ReadonlyMap<string, SlotTick>): readonly Slot[] {
  const ordered = [...ticks].toSorted(([left], [right]) => Number(left) - Number(right));
  const slots: Slot[] = [];
  let previous: SlotTick | undefined;
  for (const [number, tick] of ordered) {
    if (previous !== undefined) {
      // After a change of the period the first slot may come sooner than either period says.
      const count =
        Math.round((tick.slotMs - previous.slotMs) / Math.max(previous.periodMs, tick.periodMs)) - 1;
      if (count > 0) slots.push({ kind: "missed", slotMs: previous.slotMs + previous.periodMs, count });
    }
    slots.push({ kind: "committed", slotMs: tick.slotMs, number, tick });
    previous = tick;
  }
  return slots;
}

export function missedOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, slot) => sum + (slot.kind === "missed" ? slot.count : 0), 0);
}

/** The oldest first. */
export function tenuresOf(slots: readonly Slot[]): readonly Tenure[] {
  const tenures: Tenure[] = [];
  for (const slot of slots) {
    if (slot.kind !== "committed") continue;
    const last = tenures.at(-1);
    if (last?.holder === slot.tick.holder) {
      tenures[tenures.length - 1] = { ...last, lastTick: slot.number, ticks: last.ticks + 1 };
    } else {
      const { holder } = slot.tick;
      tenures.push({ holder, firstTick: slot.number, lastTick: slot.number, ticks: 1 });
    }
  }
  return tenures;
}

export function sayMissed(missed: number): string {
  if (missed === 0) return "no slot missed";
  return missed === 1 ? "1 slot missed" : `${missed} slots missed`;
}
