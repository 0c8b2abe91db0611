/**
 * What the dispatcher is asked and what it answers. Times are milliseconds since 1970 on the database's clock; durations
 * may be of any scale, since a recorded day is also replayed sixty times as fast.
 */

export type Point = { readonly latitude: number; readonly longitude: number };

/** An order that nobody has picked up yet. */
export type Order = {
  readonly id: string;
  readonly storeId: string;
  readonly store: Point;
  readonly door: Point;
  readonly placedAtMs: number;
  /** When the store expects to hand it over. */
  readonly readyAtMs: number;
  /** The courier that an earlier tick committed it to. */
  readonly assignedTo: string | undefined;
  /** Couriers who must not be asked again. */
  readonly declinedBy: readonly string[];
};

export type Courier = {
  readonly id: string;
  readonly position: Point;
  /** How many orders may be assigned to the courier at one time. */
  readonly capacity: number;
  /** How many are: assigned and not yet delivered. */
  readonly load: number;
  /** How many of those the courier has not yet confirmed to have seen. */
  readonly unacknowledged: number;
  /** When the last of the load is expected to be delivered, and where; undefined where that is not known. */
  readonly freeAtMs: number | undefined;
  readonly freePosition: Point | undefined;
  /** The courier picks up nothing after this moment. */
  readonly shiftEndsAtMs: number;
};

/** One consistent reading of a city. The order of the lists means nothing. */
export type DispatchSnapshot = {
  readonly nowMs: number;
  readonly orders: readonly Order[];
  readonly couriers: readonly Courier[];
};

export type DispatchParameters = {
  /** Time until the next tick: the earliest moment at which a held order can be committed. */
  readonly periodMs: number;
  /** Orders ready within this duration are looked at. */
  readonly horizonMs: number;
  /** Busy couriers who are free within this duration are looked at. */
  readonly courierFreeWithinMs: number;
  readonly courierSpeedMetersPerMinute: number;
  /** Handling at the store and again at the door, each this long: half before the order changes hands and half after. */
  readonly serviceTimeMs: number;
  /** A courier further from the store than this travel time is never asked. */
  readonly pickupTravelMaxMs: number;
};

/** A courier takes an order. Final once committed. */
export type Decision = { readonly order: string; readonly courier: string };

export type DispatchResult = {
  /** To commit now, sorted by order id. */
  readonly decisions: readonly Decision[];
  /** Orders that have a courier in this answer, for whom a later tick is early enough. */
  readonly held: number;
  /** Orders within the horizon without a courier: none may take them, or others need those couriers more. */
  readonly unassignable: number;
  /** The deadline came first: the decisions are feasible, and may not be the best. */
  readonly degraded: boolean;
};

/** Asked now and then during the work; a count instead of a clock makes a degraded answer replayable. */
export type Deadline = { hasPassed(): boolean };
