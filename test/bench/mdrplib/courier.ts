import type { MdrpCourier, MdrpDay, MdrpOrder } from "../../../local/traffic/mdrplib.ts";

/** One courier's day by the library's rules: whole minutes, travel rounded up, half of each handling before and half after. */

export type Place = { readonly x: number; readonly y: number };

/** Somewhere at some minute, with nothing to do. `id` is the place's: a courier's, a restaurant's or an order's. */
export type Spot = { readonly id: string; readonly place: Place; readonly minute: number };

export type Trip = {
  readonly start: Spot;
  readonly decidedAtMinute: number;
  readonly departureMinute: number;
  readonly restaurant: string;
  /** Half the handling after arrival: the earliest moment at which an order can change hands. */
  readonly atStoreMinute: number;
  readonly pickupMinute: number;
  /** None when all of its orders were cancelled on the way. */
  readonly stops: readonly Stop[];
  readonly end: Spot;
};

export type Stop = {
  readonly order: MdrpOrder;
  readonly departureMinute: number;
  readonly dropoffMinute: number;
};

export class PlayedCourier {
  readonly id: string;
  readonly onAtMinute: number;
  readonly offAtMinute: number;
  readonly #day: MdrpDay;
  readonly #restaurants: ReadonlyMap<string, Place>;
  readonly #first: Spot;
  #trips: Trip[] = [];

  constructor(courier: MdrpCourier, day: MdrpDay, restaurants: ReadonlyMap<string, Place>) {
    this.id = courier.id;
    this.onAtMinute = courier.onAtMinute;
    this.offAtMinute = courier.offAtMinute;
    this.#day = day;
    this.#restaurants = restaurants;
    this.#first = { id: courier.id, place: courier, minute: courier.onAtMinute };
  }

  get trips(): readonly Trip[] {
    return this.#trips;
  }

  /** Where the courier has nothing more to do, if nothing more is decided. */
  end(): Spot {
    return this.#trips.at(-1)?.end ?? this.#first;
  }

  /** Orders on the list at this minute: decided and not yet at their door. */
  loadAt(minute: number): number {
    return this.#trips.flatMap(({ stops }) => stops).filter((stop) => stop.dropoffMinute > minute).length;
  }

  /** When the courier is done as far as one can tell who believes that orders are ready when `readyAt` says. */
  expectedEndMinute(minute: number, readyAt: (order: MdrpOrder) => number): number {
    let freeAt = this.#first.minute;
    for (const trip of this.#trips) {
      if (trip.pickupMinute <= minute || trip.stops.length === 0) {
        freeAt = trip.end.minute;
        continue;
      }
      const onTheWay = trip.atStoreMinute - trip.departureMinute;
      const atStore = Math.max(trip.decidedAtMinute, freeAt) + onTheWay;
      const pickup = Math.max(atStore, minute, ...trip.stops.map(({ order }) => readyAt(order)));
      freeAt = pickup + trip.end.minute - trip.pickupMinute;
    }
    return freeAt;
  }

  /** The trip with these orders of one restaurant, in this sequence of doors, decided at this minute. */
  plan(orders: readonly MdrpOrder[], minute: number, start = this.end()): Trip {
    const restaurant = orders[0]?.restaurant ?? "";
    const { departureMinute, atStoreMinute } = this.#approach(restaurant, minute, start);
    const pickupMinute = Math.max(atStoreMinute, ...orders.map((order) => order.readyAtMinute));
    const half = this.#day.dropoffServiceMinutes / 2;
    let place = this.#storeOf(restaurant);
    let leavesAt = pickupMinute + this.#day.pickupServiceMinutes / 2;
    const stops = orders.map((order) => {
      const dropoffMinute = leavesAt + this.#minutes(place, order) + half;
      const stop = { order, departureMinute: leavesAt, dropoffMinute };
      place = order;
      leavesAt = dropoffMinute + half;
      return stop;
    });
    const end = { id: orders.at(-1)?.id ?? "", place, minute: leavesAt };
    const decidedAtMinute = minute;
    return { start, decidedAtMinute, departureMinute, restaurant, atStoreMinute, pickupMinute, stops, end };
  }

  take(trip: Trip): void {
    this.#trips.push(trip);
  }

  /** An order that is not picked up yet leaves its trip; who was on the way for it alone is free at the store. */
  cancel(orderId: string, minute: number): void {
    let start = this.#first;
    this.#trips = this.#trips.flatMap((trip) => {
      const next = this.#afterCancelling(trip, orderId, minute, start);
      start = next?.end ?? start;
      return next ?? [];
    });
  }

  #afterCancelling(trip: Trip, orderId: string, minute: number, start: Spot): Trip | undefined {
    const orders = trip.stops.map(({ order }) => order).filter(({ id }) => id !== orderId);
    if (orders.length === trip.stops.length && trip.start === start) return trip;
    if (orders.length > 0) return this.plan(orders, trip.decidedAtMinute, start);
    if (trip.departureMinute >= minute) return undefined;
    const approach = this.#approach(trip.restaurant, trip.decidedAtMinute, start);
    const arrival = approach.atStoreMinute - this.#day.pickupServiceMinutes / 2;
    const place = this.#storeOf(trip.restaurant);
    const end = { id: trip.restaurant, place, minute: Math.max(arrival, minute) };
    return { ...trip, ...approach, start, stops: [], end };
  }

  #approach(
    restaurant: string,
    minute: number,
    start: Spot,
  ): Pick<Trip, "departureMinute" | "atStoreMinute"> {
    const departureMinute = Math.max(minute, start.minute);
    const arrival = departureMinute + this.#minutes(start.place, this.#storeOf(restaurant));
    return { departureMinute, atStoreMinute: arrival + this.#day.pickupServiceMinutes / 2 };
  }

  #storeOf(restaurant: string): Place {
    const store = this.#restaurants.get(restaurant);
    if (store === undefined) throw new RangeError(`no restaurant ${restaurant}`);
    return store;
  }

  #minutes(from: Place, to: Place): number {
    return Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / this.#day.metersPerMinute);
  }
}
