import type { Pool, PooledCourier } from "./pool.ts";

const MINUTE_MS = 60_000;

/** Couriers of one speed, by its place in `speeds`, who start between two moments. */
export type Starts = { readonly earliestMs: number; readonly latestMs: number; readonly speed: number };

/** How many numbers there are of each courier, and which is what: metres, milliseconds, orders, a place in `speeds`. */
export const TRAITS = 8;
export const TRAIT = { x: 0, y: 1, startsAtMs: 2, shiftEndsAtMs: 3, room: 4, speed: 5 } as const;

/** The couriers of a pool as lists of numbers, one for each courier: for all matchings of one answer. */
export type CourierColumns = {
  readonly ids: readonly string[];
  readonly columnOf: ReadonlyMap<string, number>;
  /** Where the way to the next store begins, in metres. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** All speeds that there are, in metres per minute. */
  readonly speeds: readonly number[];
  /**
   * For each courier the numbers that decide what a pair costs, from `column * TRAITS` on, see `TRAIT`. Side by side, since couriers are asked for
   * in no order, and memory brings 64 bytes at a time.
   */
  readonly traits: Float64Array;
  /** Couriers of one speed who start within the same minute; whoever is free now, together. */
  readonly groups: readonly Starts[];
  readonly group: Int32Array;
};

export function courierColumnsOf({ couriers, nowMs }: Pool): CourierColumns {
  const count = couriers.length;
  const speeds = [...new Set(couriers.map(({ metersPerMinute }) => metersPerMinute))];
  const columnOf = new Map<string, number>();
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const traits = new Float64Array(count * TRAITS);
  couriers.forEach(({ id, start, startsAtMs, shiftEndsAtMs, room, metersPerMinute }, column) => {
    const first = column * TRAITS;
    columnOf.set(id, column);
    x[column] = start.x;
    y[column] = start.y;
    traits[first + TRAIT.x] = start.x;
    traits[first + TRAIT.y] = start.y;
    traits[first + TRAIT.startsAtMs] = startsAtMs;
    traits[first + TRAIT.shiftEndsAtMs] = shiftEndsAtMs;
    traits[first + TRAIT.room] = room;
    traits[first + TRAIT.speed] = speeds.indexOf(metersPerMinute);
  });
  const ids = couriers.map(({ id }) => id);
  return { ids, columnOf, x, y, speeds, traits, ...groupsOf(couriers, nowMs, speeds) };
}

function groupsOf(
  couriers: readonly PooledCourier[],
  nowMs: number,
  speeds: readonly number[],
): Pick<CourierColumns, "groups" | "group"> {
  const groups: Starts[] = [];
  const known = new Map<number, Map<number, number>>();
  const group = new Int32Array(couriers.length);
  couriers.forEach(({ startsAtMs, metersPerMinute }, column) => {
    const minute = Math.ceil((startsAtMs - nowMs) / MINUTE_MS);
    const speed = speeds.indexOf(metersPerMinute);
    const ofSpeed = known.get(speed) ?? new Map<number, number>();
    known.set(speed, ofSpeed);
    const place = ofSpeed.get(minute) ?? groups.length;
    group[column] = place;
    if (place < groups.length) return;
    ofSpeed.set(minute, place);
    const latestMs = nowMs + minute * MINUTE_MS;
    groups.push({ earliestMs: Math.max(nowMs, latestMs - MINUTE_MS), latestMs, speed });
  });
  return { groups, group };
}
