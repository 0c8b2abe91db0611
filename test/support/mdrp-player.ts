import type { MdrpCourier, MdrpDay, MdrpOrder } from "../../local/traffic/mdrplib.ts";
import { dispatch } from "../../worker/dispatch/dispatch.ts";
import type { Courier, DispatchParameters, Order, Point } from "../../worker/dispatch/model.ts";
import { validateDecisions } from "../../worker/dispatch/validate.ts";

/**
 * Plays a recorded city-day through the dispatcher in memory, by the library's rules: whole minutes, travel rounded up, half
 * of each handling before and half after the order changes hands, nothing known before its time. A courier who finds
 * that an order cannot be picked up before the end of the shift declines it.
 */

export type PlayedDay = {
  readonly delivered: readonly PlayedOrder[];
  readonly undelivered: readonly MdrpOrder[];
  /** Decisions that the validator refused; none, unless the dispatcher breaks its own rules. */
  readonly refused: number;
  readonly declined: number;
};

export type PlayedOrder = {
  readonly order: MdrpOrder;
  readonly courier: string;
  readonly decidedAtMinute: number;
  readonly pickupAtMinute: number;
  readonly dropoffAtMinute: number;
};

const MINUTE_MS = 60_000;
const LAST_ORDER_GRACE_MINUTES = 240;

type Place = { readonly x: number; readonly y: number };
type CourierState = MdrpCourier & { place: Place; freeAtMinute: number; open: PlayedOrder[] };

export function playDay(
  day: MdrpDay,
  parameters: Omit<DispatchParameters, "courierSpeedMetersPerMinute" | "serviceTimeMs">,
): PlayedDay {
  const player = new DayPlayer(day, {
    ...parameters,
    courierSpeedMetersPerMinute: day.metersPerMinute,
    serviceTimeMs: day.pickupServiceMinutes * MINUTE_MS,
  });
  const lastMinute = Math.max(...day.orders.map((order) => order.readyAtMinute)) + LAST_ORDER_GRACE_MINUTES;
  const tickMinutes = parameters.periodMs / MINUTE_MS;
  for (let minute = 0; minute <= lastMinute && player.isUnfinished(); minute += tickMinutes)
    player.tick(minute);
  return player.result();
}

class DayPlayer {
  readonly #day: MdrpDay;
  readonly #parameters: DispatchParameters;
  readonly #couriers: Map<string, CourierState>;
  readonly #restaurants: ReadonlyMap<string, Place>;
  readonly #orders: ReadonlyMap<string, MdrpOrder>;
  readonly #open: Set<string>;
  readonly #declinedBy = new Map<string, string[]>();
  readonly #delivered: PlayedOrder[] = [];
  #refused = 0;
  #declined = 0;

  constructor(day: MdrpDay, parameters: DispatchParameters) {
    this.#day = day;
    this.#parameters = parameters;
    this.#couriers = new Map(
      day.couriers.map((courier) => [
        courier.id,
        { ...courier, place: courier, freeAtMinute: courier.onAtMinute, open: [] },
      ]),
    );
    this.#restaurants = new Map(day.restaurants.map((restaurant) => [restaurant.id, restaurant]));
    this.#orders = new Map(day.orders.map((order) => [order.id, order]));
    this.#open = new Set(this.#orders.keys());
  }

  isUnfinished(): boolean {
    return this.#open.size > 0;
  }

  tick(minute: number): void {
    const orders = this.#day.orders.filter(
      (order) => this.#open.has(order.id) && order.placedAtMinute <= minute,
    );
    if (orders.length === 0) return;
    const onDuty = [...this.#couriers.values()].filter(
      (courier) => courier.onAtMinute <= minute && courier.offAtMinute >= minute,
    );
    const snapshot = {
      nowMs: minute * MINUTE_MS,
      orders: orders.map((order) => this.#orderAsSeen(order)),
      couriers: onDuty.map((courier) => courierAsSeen(courier, minute)),
    };
    const { decisions } = dispatch(snapshot, this.#parameters, { hasPassed: () => false });
    const { accepted, refused } = validateDecisions(snapshot, this.#parameters, decisions);
    this.#refused += refused.length;
    for (const decision of accepted) {
      this.#carryOut(this.#orders.get(decision.order)!, this.#couriers.get(decision.courier)!, minute);
    }
  }

  result(): PlayedDay {
    return {
      delivered: this.#delivered,
      undelivered: [...this.#open].map((id) => this.#orders.get(id)!),
      refused: this.#refused,
      declined: this.#declined,
    };
  }

  #orderAsSeen(order: MdrpOrder): Order {
    return {
      id: order.id,
      storeId: order.restaurant,
      store: pointOf(this.#restaurants.get(order.restaurant)!),
      door: pointOf(order),
      placedAtMs: order.placedAtMinute * MINUTE_MS,
      readyAtMs: order.readyAtMinute * MINUTE_MS,
      vehicles: [],
      assignment: undefined,
      declinedBy: this.#declinedBy.get(order.id) ?? [],
    };
  }

  #carryOut(order: MdrpOrder, courier: CourierState, minute: number): void {
    const store = this.#restaurants.get(order.restaurant)!;
    const atStore = Math.max(minute, courier.freeAtMinute) + this.#travelMinutes(courier.place, store);
    const pickupAtMinute = Math.max(atStore + this.#day.pickupServiceMinutes / 2, order.readyAtMinute);
    if (pickupAtMinute > courier.offAtMinute) {
      this.#declinedBy.set(order.id, [...(this.#declinedBy.get(order.id) ?? []), courier.id]);
      this.#declined++;
      return;
    }
    const leavesAt = pickupAtMinute + this.#day.pickupServiceMinutes / 2;
    const dropoffAtMinute =
      leavesAt + this.#travelMinutes(store, order) + this.#day.dropoffServiceMinutes / 2;
    const played = { order, courier: courier.id, decidedAtMinute: minute, pickupAtMinute, dropoffAtMinute };
    courier.open = [...courier.open.filter((open) => open.dropoffAtMinute > minute), played];
    courier.freeAtMinute = dropoffAtMinute + this.#day.dropoffServiceMinutes / 2;
    courier.place = order;
    this.#open.delete(order.id);
    this.#delivered.push(played);
  }

  #travelMinutes(from: Place, to: Place): number {
    return Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / this.#day.metersPerMinute);
  }
}

function courierAsSeen(courier: CourierState, minute: number): Courier {
  const isBusy = courier.freeAtMinute > minute;
  return {
    id: courier.id,
    position: pointOf(courier.place),
    positionAtMs: minute * MINUTE_MS,
    vehicle: "",
    capacity: 3,
    load: courier.open.filter((open) => open.dropoffAtMinute > minute).length,
    unacknowledged: 0,
    freeAtMs: isBusy ? courier.freeAtMinute * MINUTE_MS : undefined,
    freePosition: isBusy ? pointOf(courier.place) : undefined,
    shiftEndsAtMs: courier.offAtMinute * MINUTE_MS,
  };
}

/** The library's plane laid on the equator, where a degree is as long in both directions. */
function pointOf({ x, y }: Place): Point {
  const metersPerDegree = (6_371_008.8 * Math.PI) / 180;
  return { latitude: y / metersPerDegree, longitude: x / metersPerDegree };
}
