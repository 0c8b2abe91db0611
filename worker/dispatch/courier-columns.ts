import type { Pool, PooledCourier } from "./pool.ts";

const MINUTE_MS = 60_000;

/** Couriers of one speed, by its place in `speeds`, who start between two moments. */
export type Starts = { readonly earliestMs: number; readonly latestMs: number; readonly speed: number };

/** The couriers of a pool as lists of numbers, one for each courier: for all matchings of one answer. */
export type CourierColumns = {
  readonly ids: readonly string[];
  readonly columnOf: ReadonlyMap<string, number>;
  /** Where the way to the next store begins, in metres. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly startsAtMs: Float64Array;
  readonly shiftEndsAtMs: Float64Array;
  readonly room: Float64Array;
  /** All speeds that there are, in metres per minute, and for each courier the place of theirs. */
  readonly speeds: readonly number[];
  readonly speedOf: Int32Array;
  /** Couriers of one speed who start within the same minute; whoever is free now, together. */
  readonly groups: readonly Starts[];
  readonly group: Int32Array;
};

export function courierColumnsOf({ couriers, nowMs }: Pool): CourierColumns {
  const count = couriers.length;
  const columns = {
    ids: couriers.map(({ id }) => id),
    columnOf: new Map<string, number>(),
    x: new Float64Array(count),
    y: new Float64Array(count),
    startsAtMs: new Float64Array(count),
    shiftEndsAtMs: new Float64Array(count),
    room: new Float64Array(count),
    speeds: [...new Set(couriers.map(({ metersPerMinute }) => metersPerMinute))],
    speedOf: new Int32Array(count),
  };
  couriers.forEach((courier, column) => {
    columns.columnOf.set(courier.id, column);
    columns.x[column] = courier.start.x;
    columns.y[column] = courier.start.y;
    columns.startsAtMs[column] = courier.startsAtMs;
    columns.shiftEndsAtMs[column] = courier.shiftEndsAtMs;
    columns.room[column] = courier.room;
    columns.speedOf[column] = columns.speeds.indexOf(courier.metersPerMinute);
  });
  return { ...columns, ...groupsOf(couriers, nowMs, columns.speedOf) };
}

function groupsOf(
  couriers: readonly PooledCourier[],
  nowMs: number,
  speedOf: Int32Array,
): Pick<CourierColumns, "groups" | "group"> {
  const groups: Starts[] = [];
  const known = new Map<number, Map<number, number>>();
  const group = new Int32Array(couriers.length);
  couriers.forEach(({ startsAtMs }, column) => {
    const minute = Math.ceil((startsAtMs - nowMs) / MINUTE_MS);
    const speed = speedOf[column] ?? 0;
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
