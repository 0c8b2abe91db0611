import type { MdrpDay, MdrpOrder } from "../../../local/traffic/mdrplib.ts";
import type {
  Courier,
  DispatchParameters,
  Dispatcher,
  DispatchSnapshot,
  Order,
  Point,
} from "../../../worker/dispatch/model.ts";
import { validateDecisions } from "../../../worker/dispatch/validate.ts";
import { PlayedCourier, type Place, type Trip } from "./courier.ts";
import { accepts, disturb, UNDISTURBED, type Disturbance, type DisturbedDay } from "./disturb.ts";

/**
 * Plays a recorded city-day through a dispatcher in memory, minute by minute and by the library's rules: nothing is known
 * before its time, and what is decided is final, so that an order with a courier is not shown again. A courier who
 * finds that an order cannot be picked up before the end of the shift declines it.
 */

export type PlayedDay = {
  /** As it really went. */
  readonly day: MdrpDay;
  readonly couriers: readonly PlayedCourier[];
  readonly undelivered: readonly MdrpOrder[];
  readonly cancelled: readonly MdrpOrder[];
  /** Decisions that the validator refused; none, unless the dispatcher breaks its own rules. */
  readonly refused: number;
  /** Offers that couriers declined. */
  readonly declined: number;
};

const MINUTE_MS = 60_000;
const LAST_ORDER_GRACE_MINUTES = 240;
/** The library knows no limit; couriers of the companies that published it carried a few orders at a time. */
const CAPACITY = 4;

export function playDay(
  recorded: MdrpDay,
  dispatcher: Dispatcher,
  parameters: DispatchParameters,
  disturbance: Disturbance = UNDISTURBED,
): PlayedDay {
  const player = new DayPlayer(disturb(recorded, disturbance), disturbance, dispatcher, {
    ...parameters,
    courierSpeedMetersPerMinute: recorded.metersPerMinute,
    serviceTimeMs: recorded.pickupServiceMinutes * MINUTE_MS,
  });
  const lastMinute =
    Math.max(...recorded.orders.map((order) => order.readyAtMinute)) + LAST_ORDER_GRACE_MINUTES;
  const tickMinutes = parameters.periodMs / MINUTE_MS;
  for (let minute = 0; minute <= lastMinute; minute += tickMinutes) player.tick(minute);
  return player.result();
}

class DayPlayer {
  readonly #disturbed: DisturbedDay;
  readonly #disturbance: Disturbance;
  readonly #dispatcher: Dispatcher;
  readonly #parameters: DispatchParameters;
  readonly #couriers: ReadonlyMap<string, PlayedCourier>;
  readonly #restaurants: ReadonlyMap<string, Place>;
  readonly #orders: ReadonlyMap<string, MdrpOrder>;
  readonly #open: Map<string, MdrpOrder>;
  readonly #carriedBy = new Map<string, PlayedCourier>();
  readonly #cancelled: MdrpOrder[] = [];
  readonly #declinedBy = new Map<string, string[]>();
  #refused = 0;
  #declined = 0;

  constructor(
    disturbed: DisturbedDay,
    disturbance: Disturbance,
    dispatcher: Dispatcher,
    parameters: DispatchParameters,
  ) {
    const { day } = disturbed;
    this.#disturbed = disturbed;
    this.#disturbance = disturbance;
    this.#dispatcher = dispatcher;
    this.#parameters = parameters;
    const restaurants = new Map(day.restaurants.map((restaurant) => [restaurant.id, restaurant]));
    this.#restaurants = restaurants;
    this.#couriers = new Map(
      day.couriers.map((courier) => [courier.id, new PlayedCourier(courier, day, restaurants)]),
    );
    this.#orders = new Map(day.orders.map((order) => [order.id, order]));
    this.#open = new Map(this.#orders);
  }

  tick(minute: number): void {
    this.#cancelUntil(minute);
    this.#sendHome(minute);
    const orders = [...this.#open.values()].filter((order) => order.placedAtMinute <= minute);
    if (orders.length === 0) return;
    const onDuty = [...this.#couriers.values()].filter(
      (courier) => courier.onAtMinute <= minute && courier.offAtMinute >= minute,
    );
    const snapshot: DispatchSnapshot = {
      nowMs: minute * MINUTE_MS,
      orders: orders.map((order) => this.#orderAsSeen(order)),
      couriers: onDuty.map((courier) => this.#courierAsSeen(courier, minute)),
    };
    const { decisions } = this.#dispatcher(snapshot, this.#parameters, { hasPassed: () => false });
    const { accepted, refused } = validateDecisions(snapshot, this.#parameters, decisions);
    this.#refused += refused.length;
    for (const [courier, bundle] of Map.groupBy(accepted, (decision) => decision.courier)) {
      const inSequence = bundle.toSorted((a, b) => a.stop - b.stop);
      this.#offer(
        inSequence.map((decision) => this.#orders.get(decision.order)!),
        this.#couriers.get(courier)!,
        minute,
      );
    }
  }

  result(): PlayedDay {
    return {
      day: this.#disturbed.day,
      couriers: [...this.#couriers.values()],
      undelivered: [...this.#open.values()],
      cancelled: this.#cancelled,
      refused: this.#refused,
      declined: this.#declined,
    };
  }

  #offer(orders: readonly MdrpOrder[], courier: PlayedCourier, minute: number): void {
    const trip = courier.plan(orders, minute);
    const isTaken = accepts(orders[0]!.id, courier.id, this.#disturbance);
    if (!isTaken || this.#expectedPickup(trip) > courier.offAtMinute) {
      this.#declined++;
      for (const { id } of orders) {
        this.#declinedBy.set(id, [...(this.#declinedBy.get(id) ?? []), courier.id]);
      }
      return;
    }
    courier.take(trip);
    for (const { id } of orders) {
      this.#open.delete(id);
      this.#carriedBy.set(id, courier);
    }
  }

  /** The courier knows no better than the restaurant when the meal is ready. */
  #expectedPickup(trip: Trip): number {
    return Math.max(trip.atStoreMinute, ...trip.stops.map(({ order }) => this.#saysReadyAt(order)));
  }

  #cancelUntil(minute: number): void {
    for (const [id, cancelledAt] of this.#disturbed.cancelledAt) {
      if (cancelledAt > minute) continue;
      const order = this.#orders.get(id)!;
      const courier = this.#carriedBy.get(id);
      const trip = courier?.trips.find(({ stops }) => stops.some((stop) => stop.order.id === id));
      // Whoever has the meal in hand brings it.
      if (trip !== undefined && trip.pickupMinute <= minute) continue;
      if (trip === undefined && !this.#open.has(id)) continue;
      courier?.cancel(id, minute);
      this.#open.delete(id);
      this.#carriedBy.delete(id);
      this.#cancelled.push(order);
    }
  }

  /** Whoever still waits for a meal when the shift ends goes without it. */
  #sendHome(minute: number): void {
    for (const courier of this.#couriers.values()) {
      if (courier.offAtMinute >= minute) continue;
      const waiting = courier.trips.filter((trip) => trip.pickupMinute > courier.offAtMinute);
      for (const { order } of waiting.flatMap(({ stops }) => stops)) {
        courier.cancel(order.id, minute);
        this.#carriedBy.delete(order.id);
        this.#open.set(order.id, order);
      }
    }
  }

  #saysReadyAt(order: MdrpOrder): number {
    return this.#disturbed.saysReadyAt.get(order.id) ?? order.readyAtMinute;
  }

  #orderAsSeen(order: MdrpOrder): Order {
    return {
      id: order.id,
      storeId: order.restaurant,
      store: pointOf(this.#restaurants.get(order.restaurant)!),
      door: pointOf(order),
      placedAtMs: order.placedAtMinute * MINUTE_MS,
      readyAtMs: this.#saysReadyAt(order) * MINUTE_MS,
      vehicles: [],
      assignment: undefined,
      declinedBy: this.#declinedBy.get(order.id) ?? [],
    };
  }

  #courierAsSeen(courier: PlayedCourier, minute: number): Courier {
    const freeAtMinute = courier.expectedEndMinute(minute, (order) => this.#saysReadyAt(order));
    const isBusy = courier.end().minute > minute;
    const position = pointOf(courier.end().place);
    return {
      id: courier.id,
      position,
      positionAtMs: minute * MINUTE_MS,
      vehicle: "",
      capacity: CAPACITY,
      load: isBusy ? Math.max(1, courier.loadAt(minute)) : 0,
      unacknowledged: 0,
      freeAtMs: isBusy ? freeAtMinute * MINUTE_MS : undefined,
      freePosition: isBusy ? position : undefined,
      shiftEndsAtMs: courier.offAtMinute * MINUTE_MS,
    };
  }
}

/** The library's plane laid on the equator, where a degree is as long in both directions. */
function pointOf({ x, y }: Place): Point {
  const metersPerDegree = (6_371_008.8 * Math.PI) / 180;
  return { latitude: y / metersPerDegree, longitude: x / metersPerDegree };
}
