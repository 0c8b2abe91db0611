import type { Point } from "./geometry.ts";

/**
 * What a simulated city is made of, and what happens in it. All times are milliseconds of the simulated day (0 = its
 * midnight); how fast that day passes is the business of the time scale.
 */
export type CityScript = {
  readonly startMs: number;
  readonly stores: readonly Store[];
  /** In the order of their start; may be endless. */
  readonly shifts: Iterable<Shift>;
  /** In the order of their placement; may be endless. */
  readonly orders: Iterable<CustomerOrder>;
  readonly rules: CityRules;
};

export type Store = { readonly id: string; readonly name: string; readonly position: Point };

export type Shift = {
  readonly courierId: string;
  readonly position: Point;
  /** Kind of vehicle, such as "bicycle"; "" where the day does not say. */
  readonly vehicle: string;
  /** Orders that the courier can have at once. */
  readonly capacity: number;
  readonly onMs: number;
  readonly offMs: number;
};

export type CustomerOrder = {
  readonly id: string;
  readonly storeId: string;
  readonly door: Point;
  /** Kinds of vehicle that it fits on; empty: any. */
  readonly vehicles: readonly string[];
  readonly placedAtMs: number;
  /** When the store says, at placement, that the food will be ready. */
  readonly promisedAtMs: number;
  /** When it really is. */
  readonly readyAtMs: number;
  /** When the customer cancels, if nobody has picked the order up by then; undefined: never. */
  readonly givesUpAtMs: number | undefined;
};

export type Leg = "to-store" | "to-door";

/** How couriers behave. Everything here is a function of its inputs, so that a history replays. */
export type CityRules = {
  /** How long the way really takes. */
  travelMs(way: {
    readonly from: Point;
    readonly to: Point;
    readonly courierId: string;
    readonly vehicle: string;
    readonly orderId: string;
    readonly leg: Leg;
  }): number;
  /** How long the courier's app says it will take. */
  expectedTravelMs(from: Point, to: Point, vehicle: string): number;
  /** Handling at the store, once for a bundle, and at each door: half of it before the event and half after. */
  readonly pickupServiceMs: number;
  readonly dropoffServiceMs: number;
  /** What a courier says to an offered order, and how long the answer takes. */
  answer(offer: { readonly orderId: string; readonly courierId: string }): CourierAnswer;
};

export type CourierAnswer = { readonly accepts: boolean; readonly afterMs: number };

/** Where and when a courier is done with everything accepted so far. */
export type FreeAgain = { readonly atMs: number; readonly position: Point };

/** One thing that happened, at its exact time. */
export type Happening =
  | { readonly kind: "shift-started"; readonly atMs: number; readonly courierId: string }
  | { readonly kind: "order-placed"; readonly atMs: number; readonly order: CustomerOrder }
  | { readonly kind: "order-cancelled"; readonly atMs: number; readonly orderId: string }
  | ({ readonly kind: "assignment-accepted"; readonly free: FreeAgain } & AtCourier)
  | ({ readonly kind: "assignment-declined"; readonly because: DeclineReason } & AtCourier)
  | ({ readonly kind: "order-picked-up" } & AtCourier)
  | ({ readonly kind: "order-delivered" } & AtCourier);

type AtCourier = { readonly atMs: number; readonly orderId: string; readonly courierId: string };

/**
 * `shift-over`: the pickup would come after the end of the shift. `wrong-vehicle`: the order does not fit on it. `unknown`: no
 * such order or courier in this city.
 */
export type DeclineReason = "unwilling" | "shift-over" | "wrong-vehicle" | "unknown";

/** What a courier is told: take this order. */
export type Assignment = {
  readonly orderId: string;
  readonly courierId: string;
  readonly atMs: number;
  /** Under one name to one courier: picked up together, brought to the doors in the order of `stop`. Absent: alone. */
  readonly bundle?: { readonly name: string; readonly stop: number };
};
