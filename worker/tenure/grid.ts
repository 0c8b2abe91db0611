/**
 * The tick grid of a city: slot k starts at k · period + phase(city) on the database's clock. It depends on nothing but
 * the city's name and period, so a new holder continues the same grid; the phase spreads cities over the period, so that
 * 10,000 of them do not fire together. A slot is named by its scheduled start, in milliseconds since 1970.
 */

export type Grid = { readonly periodMs: number; readonly phaseMs: number };

/** The grid of a city. The phase is the 32-bit FNV-1a hash of the name's UTF-8 bytes, modulo the period. */
export function gridOf(city: string, periodMs: number): Grid {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(city)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return { periodMs, phaseMs: hash % periodMs };
}

/** Start of the slot that `timeMs` falls into. */
export function slotAt(grid: Grid, timeMs: number): number {
  return Math.floor((timeMs - grid.phaseMs) / grid.periodMs) * grid.periodMs + grid.phaseMs;
}

export type NextSlot = {
  readonly slotMs: number;
  /** How long to wait until it starts; 0 for a slot that is running already. */
  readonly startsInMs: number;
  /** Slots between the last committed one and this one that nobody will run any more. */
  readonly skipped: number;
};

/**
 * The slot to run next. The current slot at once if it is not in yet (so a tick that a hand-over fenced out is done
 * again in the same slot), else the following one at its start. Slots that have passed are skipped and counted, never
 * queued up.
 *
 * A last slot further ahead than one period can only come from a database clock that was set back, or from a longer
 * period before: the city goes on with the current slot instead of standing still until the clock has caught up.
 */
export function nextSlot(grid: Grid, nowMs: number, lastSlotMs: number | undefined): NextSlot {
  const currentMs = slotAt(grid, nowMs);
  if (lastSlotMs === undefined) return { slotMs: currentMs, startsInMs: 0, skipped: 0 };
  const isAhead = lastSlotMs > currentMs + grid.periodMs;
  if (lastSlotMs < currentMs || isAhead) {
    const skipped = isAhead ? 0 : Math.max(0, Math.ceil((currentMs - lastSlotMs) / grid.periodMs) - 1);
    return { slotMs: currentMs, startsInMs: 0, skipped };
  }
  // After a change of the period the last slot may lie between two slots of the new grid.
  const slotMs = slotAt(grid, lastSlotMs) + grid.periodMs;
  return { slotMs, startsInMs: slotMs - nowMs, skipped: 0 };
}

/** Limits of one tick, from the moment it starts; all below the period, so that a tick never outlives its slot by much. */
export type TickLimits = {
  /** After this the tick is given up: its statement is killed, its slot is missed. */
  readonly tickMs: number;
  /** When the dispatcher is asked to return the best answer it has. */
  readonly dispatchMs: number;
};

export function tickLimits(periodMs: number): TickLimits {
  return { tickMs: Math.floor(periodMs * 0.8), dispatchMs: Math.floor(periodMs * 0.45) };
}
