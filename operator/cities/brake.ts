import { isStalled, type FleetView } from "./view.ts";

/**
 * When so much fails at once that moving cities would be the wrong cure. Pure.
 *
 * Most cities stalled: their common cause is not their workers, and a move costs each of them a claim and helps nobody.
 * Most workers lost: either they come back at once (a broken switch, a crashing release), or those that are left must not
 * be buried under all the cities at once: hold, then move at a bounded rate.
 */
export type Brake = {
  /** Nothing is moved for being stalled. */
  readonly holdsStalled: boolean;
  /** Cities of lost workers: moved as always, not at all for now, or so many at a time. */
  readonly lost: "free" | "hold" | "bounded";
};

/** Losses count together when they happen within this time. */
export const LOSS_WINDOW_MS = 30_000;
/** After the last loss of many. */
const HOLD_MS = 10_000;
/** A worker that is lost alone is no mass failure, however small the fleet. */
const LOST_WORKERS_MIN = 2;

export function brakeOf(view: FleetView): Brake {
  return { holdsStalled: haveMostStalled(view), lost: brakeForLost(view) };
}

/** Most of all cities, and not just those of one worker: that one would be the cause. */
function haveMostStalled(view: FleetView): boolean {
  const held = view.cities.filter(({ lease, isSuspended }) => lease?.worker !== undefined && !isSuspended);
  const stalled = held.filter((city) => isStalled(city, view));
  const holders = new Set(stalled.map(({ lease }) => lease?.worker));
  return holders.size > 1 && stalled.length * 2 > held.length;
}

function brakeForLost({ lostMs, workers, nowMs }: FleetView): Brake["lost"] {
  const losses = [...lostMs.values()].filter((atMs) => nowMs - atMs < LOSS_WINDOW_MS);
  const left = [...workers.values()].filter(({ liveness }) => liveness !== "gone").length;
  if (losses.length < LOST_WORKERS_MIN || losses.length <= left) return "free";
  return nowMs - Math.max(...losses) < HOLD_MS ? "hold" : "bounded";
}
