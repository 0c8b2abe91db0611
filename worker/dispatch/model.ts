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
  /** Kinds of vehicle that may carry it, as couriers name theirs; empty: any. */
  readonly vehicles: readonly string[];
  /** What an earlier tick committed; undefined: nobody has it. */
  readonly assignment: OrderAssignment | undefined;
  /** Couriers who must not be asked again. */
  readonly declinedBy: readonly string[];
};

export type OrderAssignment = {
  readonly courier: string;
  readonly assignedAtMs: number;
  /** Whether the courier has taken it on. */
  readonly isAccepted: boolean;
  /** How often the order was taken from one courier and given to another. */
  readonly reassignments: number;
};

export type Courier = {
  readonly id: string;
  readonly position: Point;
  /** When the courier was there. */
  readonly positionAtMs: number;
  /** Kind of vehicle, such as "bicycle"; "" where the company does not say. */
  readonly vehicle: string;
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

/** Each is a field of the City's `spec.dispatch`, but `periodMs`, which is the City's own. */
export type DispatchParameters = {
  /** Time until the next tick: the earliest moment at which a held order can be committed. */
  readonly periodMs: number;
  /** Orders ready within this duration are looked at. */
  readonly horizonMs: number;
  /** Busy couriers who are free within this duration are looked at. */
  readonly courierFreeWithinMs: number;
  readonly courierSpeedMetersPerMinute: number;
  /** Metres per minute for kinds of vehicle that differ from `courierSpeedMetersPerMinute`. */
  readonly vehicleSpeeds: Readonly<Record<string, number>>;
  /** Handling at the store and again at each door, each this long: half before the order changes hands and half after. */
  readonly serviceTimeMs: number;
  /** A courier further from the store than this travel time is never asked. */
  readonly pickupTravelMaxMs: number;
  /** How many orders of one store may be brought on one way: 1 to 3. At 1 nothing is bundled. */
  readonly bundleOrdersMax: number;
  /** No order reaches its door later than this because others are brought on the same way. */
  readonly bundleDelayMaxMs: number;
  /** An order that reaches its door later than this after it was placed is late at the door. */
  readonly clickToDoorTargetMs: number;
  /** A courier without load whose position is older than this is not asked: nobody knows where he or she is. */
  readonly positionAgeMaxMs: number;
  /** An order is taken from its courier only when that is worth this much of a courier's time. */
  readonly reassignGainMinMs: number;
  /** How often one order may be taken from a courier. 0: never. */
  readonly reassignmentsMax: number;
  readonly weights: CostWeights;
};

/** What one unit of time of each kind counts for, against one unit of a courier's time. */
export type CostWeights = {
  /** From ready to pickup: the meal gets cold and the customer waits. */
  readonly lateAtPickup: number;
  /** By which an order reaches its door after `clickToDoorTargetMs`, or because of the doors before it. */
  readonly lateAtDoor: number;
  /** On the way to the store and the doors, and handling there. */
  readonly travel: number;
  /** At the store, until the order is ready. */
  readonly waiting: number;
  /** Of `reassignGainMinMs`, once for every time that an order is taken from its courier. */
  readonly reassignment: number;
  /** From placed to now, for as long as nobody has the order: whoever was passed over before wins in the end. */
  readonly age: number;
};

/**
 * One order for one courier, final once the courier has it on the way. Several for the same courier in one answer are a
 * bundle: all of one store, picked up together, brought to their doors in the order of `stop`.
 */
export type Decision = {
  readonly order: string;
  readonly courier: string;
  /** 1, 2, 3: which door comes first. */
  readonly stop: number;
  /** From whom it is taken; undefined: nobody had it. */
  readonly from: string | undefined;
};

/** In whole deciseconds of a courier's time, each weighted. What a match costs is their sum. */
export type CostParts = {
  readonly lateAtPickup: number;
  readonly lateAtDoor: number;
  readonly travel: number;
  readonly waiting: number;
  readonly reassignment: number;
  /** Of an order that nobody takes; 0 of one that somebody does. */
  readonly age: number;
};

/** A hard rule that keeps a courier away from an order. */
export type Refusal = (typeof REFUSALS)[number];

export const REFUSALS = [
  "capacity",
  "unacknowledged",
  "not-free",
  "shift-over",
  "position-stale",
  "vehicle",
  "too-far",
  "declined",
] as const;

/** `courier-busy`: the courier cannot set off before the next tick. `time-left`: setting off a tick later is early enough. */
export type HoldReason = "courier-busy" | "time-left";

/** `nobody-may`: hard rules keep every courier away. `outbid`: those who may are worth more to other orders. */
export type UnassignableReason = "nobody-may" | "outbid";

/** What became of one order of the snapshot, and why. */
export type Explanation = { readonly order: string } & (
  | {
      readonly kind: "assigned";
      readonly courier: string;
      readonly from: string | undefined;
      /** The other orders of its bundle. */
      readonly with: readonly string[];
      /** Of the bundle, if it is one. */
      readonly cost: CostParts;
      /** The cheapest of the other couriers who may take it, whether or not they are needed elsewhere. */
      readonly runnerUp: { readonly courier: string; readonly cost: CostParts } | undefined;
    }
  | {
      readonly kind: "held";
      readonly because: HoldReason;
      /** Who would have it if it were committed now. */
      readonly courier: string;
      readonly lookAgainAtMs: number;
      readonly cost: CostParts;
    }
  | {
      readonly kind: "unassignable";
      readonly because: UnassignableReason;
      /** How many couriers each hard rule kept away; a courier counts for the first rule that does. */
      readonly refusals: Readonly<Partial<Record<Refusal, number>>>;
    }
  | { readonly kind: "beyond-horizon"; readonly lookAtMs: number }
  /** An earlier tick gave it to the courier, and there it stays. */
  | { readonly kind: "kept"; readonly courier: string }
);

export type DispatchResult = {
  /** To commit now, sorted by order id. */
  readonly decisions: readonly Decision[];
  /** One for each order of the snapshot, sorted by order id. */
  readonly explanations: readonly Explanation[];
  /** The deadline came first: the decisions are feasible, and may not be the best. */
  readonly degraded: boolean;
  /** Proven distance from the best matching, in deciseconds; 0 when it is the best; undefined when unknown. */
  readonly gap: number | undefined;
};

/** Asked now and then during the work; a count instead of a clock makes a degraded answer replayable. */
export type Deadline = { hasPassed(): boolean };

export type Dispatcher = (
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  deadline: Deadline,
) => DispatchResult;
