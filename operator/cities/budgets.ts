/** How fast cities are moved and their progress is written: what the operator allows itself, and what a forecast of it goes by. */

/** For no other reason than balance. */
export const SHEDS_PER_SECOND = 2;
export const SHED_BURST = 4;
/** Cities of lost workers, once the brake bounds them. */
export const TAKEOVERS_PER_SECOND = 50;

/** What the API server writes for the whole fleet at rest: the design bounds it to 50, and elections and chance take the rest. */
const WRITES_AT_REST_PER_SECOND = 48;
const PROGRESS_WRITES_PER_SECOND = { max: 20, min: 5 };

/** Writes of mere progress, for the whole fleet: what its heartbeats leave of the writes at rest. Pure. */
export function progressWritesPerSecond(heartbeatsPerSecond: number): number {
  const { max, min } = PROGRESS_WRITES_PER_SECOND;
  return Math.max(min, Math.min(max, WRITES_AT_REST_PER_SECOND - heartbeatsPerSecond));
}
