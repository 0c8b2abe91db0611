import { BUNDLE_ORDERS_LIMIT, type Bundle } from "./bundle.ts";
import { partsOf, sumOf, toDeciseconds } from "./cost.ts";
import type { DispatchParameters } from "./model.ts";
import { travelMs } from "./plane.ts";
import type { PooledCourier } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { delaysTooLong, detourMs, onTheWayMsOf, toDoorMs } from "./trip.ts";

/** Couriers of one speed, by its place in `speeds`, who start between two moments. */
export type Starts = { readonly earliestMs: number; readonly latestMs: number; readonly speed: number };

/** What letting this courier bring this bundle costs; Infinity when he or she must not. */
export function pairCost(bundle: Bundle, courier: PooledCourier, parameters: DispatchParameters): number {
  const onTheWayMs = onTheWayMsOf(bundle, courier);
  if (refusalOf(bundle, courier, onTheWayMs, parameters) !== undefined) return Infinity;
  return sumOf(partsOf(bundle, courier, onTheWayMs, parameters));
}

/**
 * `pairCost` of every bundle and courier of a pool, in a hundredth of the time: the matching asks millions of times. Whatever
 * does not depend on the pair is worked out once, for each bundle and speed, and kept in lists of numbers.
 */
export class PairCosts {
  readonly #bundles: readonly Bundle[];
  readonly #couriers: readonly PooledCourier[];
  readonly #parameters: DispatchParameters;
  readonly #speeds: readonly number[];
  /** For each courier the place of the speed among all that there are. */
  readonly speedOf: Int32Array;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #startsAtMs: Float64Array;
  readonly #shiftEndsAtMs: Float64Array;
  readonly #room: Float64Array;
  /** Of the bundles. */
  readonly #storeX: Float64Array;
  readonly #storeY: Float64Array;
  readonly #readyAtMs: Float64Array;
  readonly #readySumMs: Float64Array;
  readonly #size: Uint8Array;
  /** Whether an order of the bundle has been with somebody, or is not for every vehicle. */
  readonly #isParticular: Uint8Array;
  /** Whether somebody has declined an order of the bundle; who has, is in the set. */
  readonly #isDeclined: Uint8Array;
  readonly #declined = new Set<number>();
  /** For each bundle and speed: the way from the store to the last door with all handling, and the detours of all stops. */
  readonly #fromStoreMs: Float64Array;
  readonly #detoursMs: Float64Array;
  /** For each bundle, speed and stop: from which moment of pickup on it is late at the door. */
  readonly #lateFromMs: Float64Array;
  readonly #one = new Int32Array(1);
  readonly #oneCost = new Float64Array(1);

  constructor(
    bundles: readonly Bundle[],
    couriers: readonly PooledCourier[],
    parameters: DispatchParameters,
  ) {
    this.#bundles = bundles;
    this.#couriers = couriers;
    this.#parameters = parameters;
    this.#speeds = [...new Set(couriers.map(({ metersPerMinute }) => metersPerMinute))];
    this.speedOf = Int32Array.from(couriers, ({ metersPerMinute }) => this.#speeds.indexOf(metersPerMinute));
    this.#x = Float64Array.from(couriers, ({ start }) => start.x);
    this.#y = Float64Array.from(couriers, ({ start }) => start.y);
    this.#startsAtMs = Float64Array.from(couriers, ({ startsAtMs }) => startsAtMs);
    this.#shiftEndsAtMs = Float64Array.from(couriers, ({ shiftEndsAtMs }) => shiftEndsAtMs);
    this.#room = Float64Array.from(couriers, ({ room }) => room);
    this.#storeX = Float64Array.from(bundles, ({ store }) => store.x);
    this.#storeY = Float64Array.from(bundles, ({ store }) => store.y);
    this.#readyAtMs = Float64Array.from(bundles, ({ readyAtMs }) => readyAtMs);
    this.#readySumMs = Float64Array.from(bundles, ({ orders }) =>
      orders.reduce((sum, { readyAtMs }) => sum + readyAtMs, 0),
    );
    this.#size = Uint8Array.from(bundles, ({ orders }) => orders.length);
    this.#isParticular = Uint8Array.from(bundles, ({ orders }) =>
      orders.every(({ vehicles, holder }) => vehicles.length === 0 && holder === undefined) ? 0 : 1,
    );
    this.#isDeclined = Uint8Array.from(bundles, ({ orders }) =>
      orders.every(({ declinedBy }) => declinedBy.size === 0) ? 0 : 1,
    );
    this.#noteDeclined();
    const kinds = bundles.length * this.#speeds.length;
    this.#fromStoreMs = new Float64Array(kinds);
    this.#detoursMs = new Float64Array(kinds);
    this.#lateFromMs = new Float64Array(kinds * BUNDLE_ORDERS_LIMIT).fill(Infinity);
    bundles.forEach((bundle, row) => {
      this.#speeds.forEach((speed, index) => {
        this.#workOut(bundle, speed, row * this.#speeds.length + index);
      });
    });
  }

  #noteDeclined(): void {
    const columns = new Map(this.#couriers.map(({ id }, column) => [id, column]));
    this.#bundles.forEach(({ orders }, row) => {
      for (const { declinedBy } of orders) {
        for (const id of declinedBy) {
          const column = columns.get(id);
          if (column !== undefined) this.#declined.add(this.#pairOf(row, column));
        }
      }
    });
  }

  #pairOf(row: number, column: number): number {
    return row * this.#couriers.length + column;
  }

  #workOut(bundle: Bundle, speed: number, kind: number): void {
    const { serviceTimeMs, clickToDoorTargetMs } = this.#parameters;
    const lastDoorMs = travelMs(bundle.doorMeters.at(-1) ?? 0, speed);
    this.#fromStoreMs[kind] = lastDoorMs + bundle.orders.length * serviceTimeMs;
    bundle.orders.forEach(({ placedAtMs }, stop) => {
      this.#detoursMs[kind] = (this.#detoursMs[kind] ?? 0) + detourMs(bundle, stop, speed, this.#parameters);
      this.#lateFromMs[kind * BUNDLE_ORDERS_LIMIT + stop] =
        placedAtMs + clickToDoorTargetMs - toDoorMs(bundle, stop, speed, this.#parameters);
    });
  }

  /** The same as `pairCost` of the two. */
  readonly of = (row: number, column: number): number => {
    this.#one[0] = column;
    this.ofMany(row, this.#one, 1, this.#oneCost);
    return this.#oneCost[0] ?? 0;
  };

  /** The same of the bundle and each of the first `count` of `columns`, into `costs`: one loop is faster than many calls. */
  readonly ofMany = (row: number, columns: Int32Array, count: number, costs: Float64Array): void => {
    const { serviceTimeMs, pickupTravelMaxMs, weights } = this.#parameters;
    const storeX = this.#storeX[row] ?? 0;
    const storeY = this.#storeY[row] ?? 0;
    const readyAtMs = this.#readyAtMs[row] ?? 0;
    const size = this.#size[row] ?? 0;
    const [x, y, startsAt, speedOf] = [this.#x, this.#y, this.#startsAtMs, this.speedOf];
    const isPlain = this.#isParticular[row] === 0 && this.#isDeclined[row] === 0 && size === 1;
    for (let index = 0; index < count; index++) {
      const column = columns[index] ?? 0;
      const speed = speedOf[column] ?? 0;
      const east = storeX - (x[column] ?? 0);
      const north = storeY - (y[column] ?? 0);
      const onTheWayMs = travelMs(Math.sqrt(east * east + north * north), this.#speeds[speed] ?? 0);
      const atStoreMs = (startsAt[column] ?? 0) + onTheWayMs + serviceTimeMs / 2;
      const pickupMs = atStoreMs > readyAtMs ? atStoreMs : readyAtMs;
      const isWithinLimits =
        onTheWayMs <= pickupTravelMaxMs &&
        size <= (this.#room[column] ?? 0) &&
        pickupMs <= (this.#shiftEndsAtMs[column] ?? 0);
      if (isPlain ? !isWithinLimits : this.#isRefused(row, column, onTheWayMs, isWithinLimits)) {
        costs[index] = Infinity;
        continue;
      }
      const kind = row * this.#speeds.length + speed;
      const travelCost = weights.travel * (onTheWayMs + (this.#fromStoreMs[kind] ?? 0));
      let weightedMs =
        this.#weightedLateMs(row, kind, pickupMs) + travelCost + weights.waiting * (pickupMs - atStoreMs);
      if (!isPlain) weightedMs += this.#weightedReassignmentMs(row, column);
      costs[index] = toDeciseconds(weightedMs);
    }
  };

  /**
   * Not above what the bundle costs any courier of `starts` from that many metres away, or more; Infinity when none of them
   * may take it. Late as whoever starts first, waiting as whoever starts last.
   */
  atLeast(row: number, starts: Starts, meters: number): number {
    const { serviceTimeMs, pickupTravelMaxMs, weights } = this.#parameters;
    const onTheWayMs = Math.floor((meters * 60_000) / (this.#speeds[starts.speed] ?? 0));
    // Whoever has the order may keep it, from wherever.
    if (onTheWayMs > pickupTravelMaxMs && this.#isParticular[row] === 0) return Infinity;
    const handlingMs = serviceTimeMs / 2;
    const readyAtMs = this.#readyAtMs[row] ?? 0;
    const pickupMs = Math.max(starts.earliestMs + onTheWayMs + handlingMs, readyAtMs);
    const waitingMs = Math.max(0, readyAtMs - (starts.latestMs + onTheWayMs + handlingMs));
    const kind = row * this.#speeds.length + starts.speed;
    // Must not fall with the distance, as it would if to wait counted for more than to travel.
    const waitingWeight = Math.min(weights.waiting, weights.travel);
    const travelCost = weights.travel * (onTheWayMs + (this.#fromStoreMs[kind] ?? 0));
    return toDeciseconds(this.#weightedLateMs(row, kind, pickupMs) + travelCost + waitingWeight * waitingMs);
  }

  #weightedLateMs(row: number, kind: number, pickupMs: number): number {
    const { weights } = this.#parameters;
    const size = this.#size[row] ?? 0;
    let lateAtDoorMs = this.#detoursMs[kind] ?? 0;
    for (let stop = 0; stop < size; stop++) {
      lateAtDoorMs += Math.max(0, pickupMs - (this.#lateFromMs[kind * BUNDLE_ORDERS_LIMIT + stop] ?? 0));
    }
    return (
      weights.lateAtPickup * (size * pickupMs - (this.#readySumMs[row] ?? 0)) +
      weights.lateAtDoor * lateAtDoorMs
    );
  }

  #weightedReassignmentMs(row: number, column: number): number {
    if (this.#isParticular[row] === 0) return 0;
    const holder = this.#bundles[row]?.orders[0]?.holder;
    if (holder === undefined || holder === this.#couriers[column]) return 0;
    return this.#parameters.weights.reassignment * this.#parameters.reassignGainMinMs;
  }

  /** Of a bundle that some couriers must not bring, although they are within the limits. */
  #isRefused(row: number, column: number, onTheWayMs: number, isWithinLimits: boolean): boolean {
    const bundle = this.#bundles[row];
    const courier = this.#couriers[column];
    if (bundle === undefined || courier === undefined) return true;
    if (this.#isParticular[row] === 1) {
      return refusalOf(bundle, courier, onTheWayMs, this.#parameters) !== undefined;
    }
    if (!isWithinLimits) return true;
    if (this.#isDeclined[row] === 1 && this.#declined.has(this.#pairOf(row, column))) return true;
    return delaysTooLong(bundle, courier, onTheWayMs, this.#parameters);
  }
}
