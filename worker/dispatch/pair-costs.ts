import { BUNDLE_ORDERS_LIMIT, type Bundle } from "./bundle.ts";
import { partsOf, sumOf, toDeciseconds } from "./cost.ts";
import { TRAIT, TRAITS, type CourierColumns, type Starts } from "./courier-columns.ts";
import type { DispatchParameters } from "./model.ts";
import { travelMs } from "./plane.ts";
import type { PooledCourier } from "./pool.ts";
import { refusalOf } from "./refuse.ts";
import { delaysTooLong, detourMs, onTheWayMsOf, toDoorMs } from "./trip.ts";

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
  readonly #columns: CourierColumns;
  readonly #parameters: DispatchParameters;
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

  /** `columns` are the lists of `couriers`. */
  constructor(
    bundles: readonly Bundle[],
    couriers: readonly PooledCourier[],
    columns: CourierColumns,
    parameters: DispatchParameters,
  ) {
    this.#bundles = bundles;
    this.#couriers = couriers;
    this.#columns = columns;
    this.#parameters = parameters;
    this.#storeX = new Float64Array(bundles.length);
    this.#storeY = new Float64Array(bundles.length);
    this.#readyAtMs = new Float64Array(bundles.length);
    this.#readySumMs = new Float64Array(bundles.length);
    this.#size = new Uint8Array(bundles.length);
    this.#isParticular = new Uint8Array(bundles.length);
    this.#isDeclined = new Uint8Array(bundles.length);
    const kinds = bundles.length * columns.speeds.length;
    this.#fromStoreMs = new Float64Array(kinds);
    this.#detoursMs = new Float64Array(kinds);
    this.#lateFromMs = new Float64Array(kinds * BUNDLE_ORDERS_LIMIT).fill(Infinity);
    bundles.forEach((bundle, row) => {
      this.#note(bundle, row);
      columns.speeds.forEach((speed, index) => {
        this.#workOut(bundle, speed, row * columns.speeds.length + index);
      });
    });
  }

  #note({ orders, store, readyAtMs }: Bundle, row: number): void {
    this.#storeX[row] = store.x;
    this.#storeY[row] = store.y;
    this.#readyAtMs[row] = readyAtMs;
    this.#size[row] = orders.length;
    let readySumMs = 0;
    for (const order of orders) {
      readySumMs += order.readyAtMs;
      if (order.vehicles.length > 0 || order.holder !== undefined) this.#isParticular[row] = 1;
      for (const id of order.declinedBy) {
        this.#isDeclined[row] = 1;
        const column = this.#columns.columnOf.get(id);
        if (column !== undefined) this.#declined.add(this.#pairOf(row, column));
      }
    }
    this.#readySumMs[row] = readySumMs;
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
    if (this.#size[row] !== 1 || this.#isParticular[row] === 1) this.#ofAnybody(row, columns, count, costs);
    else this.#ofPlain(row, columns, count, costs);
    if (this.#isDeclined[row] === 0) return;
    for (let index = 0; index < count; index++) {
      if (this.#declined.has(this.#pairOf(row, columns[index] ?? 0))) costs[index] = Infinity;
    }
  };

  /** Of a single order that nobody has and any vehicle may bring: most are, so that nothing is asked about the two themselves. */
  #ofPlain(row: number, columns: Int32Array, count: number, costs: Float64Array): void {
    const { serviceTimeMs, pickupTravelMaxMs, weights } = this.#parameters;
    const { lateAtPickup, lateAtDoor, travel, waiting } = weights;
    const { traits, speeds } = this.#columns;
    const fromStoreMs = this.#fromStoreMs;
    const lateFromMs = this.#lateFromMs;
    const storeX = this.#storeX[row] ?? 0;
    const storeY = this.#storeY[row] ?? 0;
    const readyAtMs = this.#readyAtMs[row] ?? 0;
    const firstKind = row * speeds.length;
    const handlingMs = serviceTimeMs / 2;
    for (let index = 0; index < count; index++) {
      const column = columns[index] ?? 0;
      const first = column * TRAITS;
      const speed = traits[first + TRAIT.speed] ?? 0;
      const east = storeX - (traits[first + TRAIT.x] ?? 0);
      const north = storeY - (traits[first + TRAIT.y] ?? 0);
      const onTheWayMs = travelMs(Math.sqrt(east * east + north * north), speeds[speed] ?? 0);
      const atStoreMs = (traits[first + TRAIT.startsAtMs] ?? 0) + onTheWayMs + handlingMs;
      const pickupMs = atStoreMs > readyAtMs ? atStoreMs : readyAtMs;
      const mayBring =
        onTheWayMs <= pickupTravelMaxMs &&
        (traits[first + TRAIT.room] ?? 0) >= 1 &&
        pickupMs <= (traits[first + TRAIT.shiftEndsAtMs] ?? 0);
      if (!mayBring) {
        costs[index] = Infinity;
        continue;
      }
      const kind = firstKind + speed;
      const lateMs = pickupMs - (lateFromMs[kind * BUNDLE_ORDERS_LIMIT] ?? 0);
      costs[index] = toDeciseconds(
        lateAtPickup * (pickupMs - readyAtMs) +
          lateAtDoor * (lateMs > 0 ? lateMs : 0) +
          travel * (onTheWayMs + (fromStoreMs[kind] ?? 0)) +
          waiting * (pickupMs - atStoreMs),
      );
    }
  }

  #ofAnybody(row: number, columns: Int32Array, count: number, costs: Float64Array): void {
    const { serviceTimeMs, pickupTravelMaxMs, weights } = this.#parameters;
    const { traits, speeds } = this.#columns;
    const storeX = this.#storeX[row] ?? 0;
    const storeY = this.#storeY[row] ?? 0;
    const readyAtMs = this.#readyAtMs[row] ?? 0;
    const size = this.#size[row] ?? 0;
    for (let index = 0; index < count; index++) {
      const column = columns[index] ?? 0;
      const first = column * TRAITS;
      const speed = traits[first + TRAIT.speed] ?? 0;
      const east = storeX - (traits[first + TRAIT.x] ?? 0);
      const north = storeY - (traits[first + TRAIT.y] ?? 0);
      const onTheWayMs = travelMs(Math.sqrt(east * east + north * north), speeds[speed] ?? 0);
      const atStoreMs = (traits[first + TRAIT.startsAtMs] ?? 0) + onTheWayMs + serviceTimeMs / 2;
      const pickupMs = atStoreMs > readyAtMs ? atStoreMs : readyAtMs;
      const isWithinLimits =
        onTheWayMs <= pickupTravelMaxMs &&
        size <= (traits[first + TRAIT.room] ?? 0) &&
        pickupMs <= (traits[first + TRAIT.shiftEndsAtMs] ?? 0);
      if (this.#isRefused(row, column, onTheWayMs, isWithinLimits)) {
        costs[index] = Infinity;
        continue;
      }
      const kind = row * speeds.length + speed;
      const travelCost = weights.travel * (onTheWayMs + (this.#fromStoreMs[kind] ?? 0));
      costs[index] = toDeciseconds(
        this.#weightedLateMs(row, kind, pickupMs) +
          travelCost +
          weights.waiting * (pickupMs - atStoreMs) +
          this.#weightedReassignmentMs(row, column),
      );
    }
  }

  /**
   * Not above what the bundle costs any courier of `starts` from that many metres away, or more; Infinity when none of them
   * may take it. Late as whoever starts first, waiting as whoever starts last.
   */
  atLeast(row: number, starts: Starts, meters: number): number {
    const { serviceTimeMs, pickupTravelMaxMs, weights } = this.#parameters;
    const onTheWayMs = Math.floor((meters * 60_000) / (this.#columns.speeds[starts.speed] ?? 0));
    // Whoever has the order may keep it, from wherever.
    if (onTheWayMs > pickupTravelMaxMs && this.#isParticular[row] === 0) return Infinity;
    const handlingMs = serviceTimeMs / 2;
    const readyAtMs = this.#readyAtMs[row] ?? 0;
    const pickupMs = Math.max(starts.earliestMs + onTheWayMs + handlingMs, readyAtMs);
    const waitingMs = Math.max(0, readyAtMs - (starts.latestMs + onTheWayMs + handlingMs));
    const kind = row * this.#columns.speeds.length + starts.speed;
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
    return delaysTooLong(bundle, courier, onTheWayMs, this.#parameters);
  }
}
