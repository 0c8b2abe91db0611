import type { Tick } from "./chronicle.ts";

/** Slots without a tick between two moments, the silence before the end included. */
export function missedSlots(ticks: readonly Tick[], fromMs: number, toMs: number): number {
  let missed = 0;
  let previous: Tick | undefined;
  for (let index = ticks.findLastIndex(({ atMs }) => atMs < fromMs); index < ticks.length; index++) {
    const tick = ticks[index];
    if (tick === undefined) continue;
    if (previous !== undefined) {
      const periodMs = Math.max(tick.periodMs, previous.periodMs);
      missed += Math.max(0, Math.round((tick.slotMs - previous.slotMs) / periodMs) - 1);
    }
    previous = tick;
  }
  if (previous === undefined) return 1;
  return missed + Math.max(0, Math.floor((toMs - previous.atMs) / previous.periodMs) - 1);
}
