import type { CityRules, CustomerOrder, FreeAgain, Shift } from "./city-script.ts";
import type { Point } from "./geometry.ts";
import { expectedTrip, planTrip, positionOn, type Trip } from "./trip.ts";

/** What a courier's app reports. Times are milliseconds of the simulated day. */
export type CourierState = {
  readonly id: string;
  readonly position: Point;
  readonly positionAtMs: number;
  readonly capacity: number;
  readonly onMs: number;
  readonly offMs: number;
  /** When and where everything accepted so far will be done, as far as the app can tell; undefined: idle. */
  readonly free: FreeAgain | undefined;
};

export type Task = { readonly order: CustomerOrder; readonly store: Point };

/**
 * One courier: a trip under way, and the accepted orders after it, done in the order of their acceptance. Between trips the
 * courier stands still.
 */
export class CourierAtWork {
  readonly id: string;
  readonly #rules: CityRules;
  #shift: Shift;
  #trip: Trip | undefined;
  #queue: readonly Task[] = [];
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

  /** Whether the app foresees the pickup before the end of the shift. */
  canPickUp(task: Task, atMs: number): boolean {
    const start = this.#expectedFree(atMs);
    return expectedTrip({ ...task, start, rules: this.#rules }).pickUpMs <= this.#shift.offMs;
  }

  /** Puts the task behind the others and returns when the courier will be done with all of them. */
  accept(task: Task, atMs: number): FreeAgain {
    this.#queue = [...this.#queue, task];
    return this.#expectedFree(atMs);
  }

  /** Starts the next task, if there is one and no trip is under way. */
  setOut(atMs: number): Trip | undefined {
    const [task, ...rest] = this.#queue;
    if (this.#trip !== undefined || task === undefined) return undefined;
    const { order, store } = task;
    const from = this.#standsAt;
    const way = { courierId: this.id, orderId: order.id };
    this.#queue = rest;
    this.#trip = planTrip({
      orderId: order.id,
      from,
      store,
      door: order.door,
      departMs: Math.max(atMs, this.#standsSinceMs),
      readyAtMs: order.readyAtMs,
      toStoreMs: this.#rules.travelMs({ ...way, from, to: store, leg: "to-store" }),
      toDoorMs: this.#rules.travelMs({ ...way, from: store, to: order.door, leg: "to-door" }),
      rules: this.#rules,
    });
    return this.#trip;
  }

  finishTrip(): void {
    if (this.#trip === undefined) return;
    this.#standsAt = this.#trip.door;
    this.#standsSinceMs = this.#trip.freeMs;
    this.#trip = undefined;
  }

  /** Forgets an order that is not picked up yet; on the way to it, the courier stops where he or she is. */
  drop(orderId: string, atMs: number): void {
    this.#queue = this.#queue.filter(({ order }) => order.id !== orderId);
    if (this.#trip?.orderId !== orderId) return;
    this.#standsAt = positionOn(this.#trip, atMs);
    this.#standsSinceMs = Math.max(atMs, this.#trip.departMs);
    this.#trip = undefined;
  }

  stateAt(atMs: number): CourierState {
    return {
      id: this.id,
      position: this.#trip === undefined ? this.#standsAt : positionOn(this.#trip, atMs),
      positionAtMs: atMs,
      capacity: this.#shift.capacity,
      onMs: this.#shift.onMs,
      offMs: this.#shift.offMs,
      free: this.#isBusy() ? this.#expectedFree(atMs) : undefined,
    };
  }

  #isBusy(): boolean {
    return this.#trip !== undefined || this.#queue.length > 0;
  }

  #expectedFree(atMs: number): FreeAgain {
    let free: FreeAgain =
      this.#trip === undefined
        ? { atMs: Math.max(atMs, this.#standsSinceMs), position: this.#standsAt }
        : { atMs: this.#trip.freeMs, position: this.#trip.door };
    for (const task of this.#queue) {
      const trip = expectedTrip({ ...task, start: free, rules: this.#rules });
      free = { atMs: trip.freeMs, position: trip.door };
    }
    return free;
  }
}
