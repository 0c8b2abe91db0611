import type { CityRules, FreeAgain, Shift } from "./city-script.ts";
import type { Point } from "./geometry.ts";
import {
  expectedTrip,
  planTrip,
  positionOn,
  withoutPickedUp,
  type Task,
  type Trip,
  type TripRules,
} from "./trip.ts";

/** What a courier's app reports. Times are milliseconds of the simulated day. */
export type CourierState = {
  readonly id: string;
  readonly position: Point;
  readonly positionAtMs: number;
  readonly vehicle: string;
  readonly capacity: number;
  readonly onMs: number;
  readonly offMs: number;
  /** When and where everything accepted so far will be done, as far as the app can tell; undefined: idle. */
  readonly free: FreeAgain | undefined;
};

/**
 * One courier: a trip under way, and the accepted bundles after it, done in the order of their acceptance. What is accepted of
 * a bundle before its pickup is picked up with the rest of it. Between trips the courier stands still.
 */
export class CourierAtWork {
  readonly id: string;
  readonly #rules: CityRules;
  #shift: Shift;
  #trip: Trip | undefined;
  #hasPickedUp = false;
  /** Bundles, none of them empty. */
  #queue: readonly (readonly Task[])[] = [];
  #standsAt: Point;
  #standsSinceMs: number;

  constructor(shift: Shift, rules: CityRules) {
    this.id = shift.courierId;
    this.#rules = rules;
    this.#shift = shift;
    this.#standsAt = shift.position;
    this.#standsSinceMs = shift.onMs;
  }

  get trip(): Trip | undefined {
    return this.#trip;
  }

  /** Whether the pickup of the trip under way is behind the courier. */
  get hasPickedUp(): boolean {
    return this.#hasPickedUp;
  }

  get vehicle(): string {
    return this.#shift.vehicle;
  }

  /** A courier who is still at work when the next shift starts goes on from there; others start at the shift's place. */
  startShift(shift: Shift): void {
    this.#shift = shift;
    if (this.#isBusy()) return;
    this.#standsAt = shift.position;
    this.#standsSinceMs = shift.onMs;
  }

  isAtWork(atMs: number): boolean {
    return this.#isBusy() || (atMs >= this.#shift.onMs && atMs < this.#shift.offMs);
  }

  /** Whether the app foresees the pickup before the end of the shift; with a bundle that is accepted already, it is fetched too. */
  canPickUp(task: Task, atMs: number): boolean {
    if (this.#joins(task)) return true;
    const start = this.#expectedFree(atMs);
    const { pickUpMs } = expectedTrip({ bundle: [task], start, vehicle: this.vehicle, rules: this.#rules });
    return pickUpMs <= this.#shift.offMs;
  }

  /** Puts the task to the others of its bundle, or behind all, and returns when the courier will be done with everything. */
  accept(task: Task, atMs: number): FreeAgain {
    const trip = this.#trip;
    const isWaiting = this.#queue.some((bundle) => bundle[0]?.bundle === task.bundle);
    if (isWaiting) {
      this.#queue = this.#queue.map((bundle) =>
        bundle[0]?.bundle === task.bundle ? [...bundle, task] : bundle,
      );
    } else if (trip !== undefined && this.#joins(task)) {
      this.#trip = this.#replanned(trip, [...trip.doors.map((door) => door.task), task], atMs);
    } else this.#queue = [...this.#queue, [task]];
    return this.#expectedFree(atMs);
  }

  /** Starts the next bundle, if there is one and no trip is under way. */
  setOut(atMs: number): Trip | undefined {
    const [bundle, ...rest] = this.#queue;
    const [first] = bundle ?? [];
    if (this.#trip !== undefined || bundle === undefined || first === undefined) return undefined;
    const from = this.#standsAt;
    const way = { courierId: this.id, vehicle: this.vehicle, orderId: first.order.id };
    this.#queue = rest;
    this.#hasPickedUp = false;
    this.#trip = planTrip(
      {
        bundle,
        from,
        departMs: Math.max(atMs, this.#standsSinceMs),
        toStoreMs: this.#rules.travelMs({ ...way, from, to: first.store, leg: "to-store" }),
        readyAtMs: lastReadyMs(bundle),
      },
      this.#tripRules(),
    );
    return this.#trip;
  }

  pickUp(): void {
    this.#hasPickedUp = true;
  }

  finishTrip(): void {
    if (this.#trip === undefined) return;
    this.#standsAt = positionOn(this.#trip, this.#trip.freeMs);
    this.#standsSinceMs = this.#trip.freeMs;
    this.#trip = undefined;
  }

  /**
   * Forgets an order. Whoever has nothing else on this trip stops where he or she is; else the trip goes on without it, and
   * `trip` is a new one.
   */
  drop(orderId: string, atMs: number): void {
    this.#queue = this.#queue
      .map((bundle) => bundle.filter(({ order }) => order.id !== orderId))
      .filter((bundle) => bundle.length > 0);
    const trip = this.#trip;
    if (trip === undefined) return;
    const others = trip.doors.map(({ task }) => task).filter(({ order }) => order.id !== orderId);
    if (others.length === trip.doors.length) return;
    if (this.#hasPickedUp) this.#trip = withoutPickedUp(trip, orderId, atMs, this.#tripRules());
    else this.#trip = others.length === 0 ? undefined : this.#replanned(trip, others, atMs);
    if (this.#trip !== undefined) return;
    this.#standsAt = positionOn(trip, atMs);
    this.#standsSinceMs = Math.max(atMs, trip.departMs);
  }

  stateAt(atMs: number): CourierState {
    return {
      id: this.id,
      position: this.#trip === undefined ? this.#standsAt : positionOn(this.#trip, atMs),
      positionAtMs: atMs,
      vehicle: this.vehicle,
      capacity: this.#shift.capacity,
      onMs: this.#shift.onMs,
      offMs: this.#shift.offMs,
      free: this.#isBusy() ? this.#expectedFree(atMs) : undefined,
    };
  }

  #isBusy(): boolean {
    return this.#trip !== undefined || this.#queue.length > 0;
  }

  /** Whether the task belongs to a bundle that is accepted and not picked up. */
  #joins(task: Task): boolean {
    if (this.#queue.some((bundle) => bundle[0]?.bundle === task.bundle)) return true;
    return this.#trip?.bundle === task.bundle && !this.#hasPickedUp;
  }

  /** The way to the store stays as it is. */
  #replanned(trip: Trip, bundle: readonly Task[], atMs: number): Trip {
    const toStoreMs = trip.atStoreMs - trip.departMs;
    const { from, departMs } = trip;
    return planTrip(
      { bundle, from, departMs, toStoreMs, readyAtMs: lastReadyMs(bundle), nowMs: atMs },
      this.#tripRules(),
    );
  }

  #tripRules(): TripRules {
    const way = { courierId: this.id, vehicle: this.vehicle, leg: "to-door" } as const;
    return {
      pickupServiceMs: this.#rules.pickupServiceMs,
      dropoffServiceMs: this.#rules.dropoffServiceMs,
      toDoorMs: ({ from, task: { order } }) =>
        this.#rules.travelMs({ ...way, orderId: order.id, from, to: order.door }),
    };
  }

  #expectedFree(atMs: number): FreeAgain {
    let free: FreeAgain =
      this.#trip === undefined
        ? { atMs: Math.max(atMs, this.#standsSinceMs), position: this.#standsAt }
        : { atMs: this.#trip.freeMs, position: positionOn(this.#trip, this.#trip.freeMs) };
    for (const bundle of this.#queue) {
      const trip = expectedTrip({ bundle, start: free, vehicle: this.vehicle, rules: this.#rules });
      free = { atMs: trip.freeMs, position: positionOn(trip, trip.freeMs) };
    }
    return free;
  }
}

function lastReadyMs(bundle: readonly Task[]): number {
  return Math.max(...bundle.map(({ order }) => order.readyAtMs));
}
