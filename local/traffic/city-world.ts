import { assert } from "../../runtime/errors.ts";
import type { CityScript, CustomerOrder, DeclineReason, Happening, Shift } from "./city-script.ts";
import { CourierAtWork, type CourierState } from "./courier-at-work.ts";
import { createEventQueue } from "./event-queue.ts";
import type { Point } from "./geometry.ts";
import type { Trip } from "./trip.ts";

/**
 * One city as a state machine over simulated time, without I/O: customers place orders and sometimes cancel, couriers come
 * on shift, answer the assignments they are told of, and carry them out one after the other.
 *
 *     waiting ──assign──▶ asked ──accepted──▶ accepted ──at the store, ready──▶ picked-up ──▶ delivered
 *        ▲                  │                    │
 *        └─────declined─────┘     the customer gives up before the pickup: cancelled
 *
 * The same script and the same assignments at the same times give the same happenings, however `advance` is cut into steps.
 */

type OpenOrder = { readonly order: CustomerOrder; stage: Stage };

type Stage =
  | { readonly kind: "waiting" }
  | { readonly kind: "asked" | "accepted" | "picked-up"; readonly courierId: string };

type WorldEvent =
  | { readonly kind: "start-shift"; readonly atMs: number; readonly id: string; readonly shift: Shift }
  | { readonly kind: "place"; readonly atMs: number; readonly id: string; readonly order: CustomerOrder }
  | {
      readonly kind: "deliver" | "free" | "pick-up";
      readonly atMs: number;
      readonly id: string;
      readonly trip: Trip;
    }
  | { readonly kind: "answer"; readonly atMs: number; readonly id: string; readonly orderId: string }
  | { readonly kind: "give-up"; readonly atMs: number; readonly id: string };

/** What comes first when it is due at the same moment; a customer who cancels as the courier picks up is too late. */
const RANK = {
  "start-shift": 0,
  place: 1,
  deliver: 2,
  free: 3,
  answer: 4,
  "pick-up": 5,
  "give-up": 6,
} as const;

export class CityWorld {
  readonly #script: CityScript;
  readonly #shifts: Iterator<Shift>;
  readonly #orders: Iterator<CustomerOrder>;
  readonly #stores: ReadonlyMap<string, Point>;
  readonly #open = new Map<string, OpenOrder>();
  readonly #couriers = new Map<string, CourierAtWork>();
  readonly #queue = createEventQueue(compareEvents);
  #happenings: Happening[] = [];
  #nowMs: number;
  #ordersToCome = true;
  #shiftsToCome = true;

  constructor(script: CityScript) {
    this.#script = script;
    this.#nowMs = script.startMs;
    this.#stores = new Map(script.stores.map((store) => [store.id, store.position]));
    this.#shifts = script.shifts[Symbol.iterator]();
    this.#orders = script.orders[Symbol.iterator]();
    this.#expectShift();
    this.#expectOrder();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get openOrderCount(): number {
    return this.#open.size;
  }

  /**
   * Tells a courier of an assignment made at `atMs`, which may lie a little in the past: the courier answers as if told then.
   * Telling the same again changes nothing; another courier takes the order over from the one before.
   */
  assign(told: { readonly orderId: string; readonly courierId: string; readonly atMs: number }): void {
    const { orderId, courierId, atMs } = told;
    const open = this.#open.get(orderId);
    if (open === undefined || !this.#couriers.has(courierId)) {
      this.#decline({ orderId, courierId, atMs }, "unknown");
      return;
    }
    if (open.stage.kind === "picked-up") return;
    if (open.stage.kind !== "waiting") {
      if (open.stage.courierId === courierId) return;
      this.#takeAway(orderId, open.stage.courierId, atMs);
    }
    open.stage = { kind: "asked", courierId };
    const { afterMs } = this.#script.rules.answer({ orderId, courierId });
    this.#queue.push({ kind: "answer", atMs: atMs + afterMs, id: courierId, orderId });
  }

  /** The assignment no longer stands, although the courier was told of it: the order waits for another one. */
  withdraw(told: { readonly orderId: string; readonly courierId: string; readonly atMs: number }): void {
    const open = this.#open.get(told.orderId);
    if (open === undefined || open.stage.kind === "waiting" || open.stage.kind === "picked-up") return;
    if (open.stage.courierId !== told.courierId) return;
    open.stage = { kind: "waiting" };
    this.#takeAway(told.orderId, told.courierId, told.atMs);
  }

  /** Lets time pass up to `toMs` (never back) and returns what has happened since the last call, in its order. */
  advance(toMs: number): readonly Happening[] {
    this.#nowMs = Math.max(this.#nowMs, toMs);
    for (;;) {
      const event = this.#queue.takeIf(({ atMs }) => atMs <= this.#nowMs);
      if (event === undefined) break;
      this.#handle(event);
    }
    const happenings = this.#happenings;
    this.#happenings = [];
    return happenings;
  }

  /** One courier as the app reports it now. */
  courier(id: string): CourierState | undefined {
    return this.#couriers.get(id)?.stateAt(this.#nowMs);
  }

  /** The couriers on shift or still at work, in the order of their ids. */
  couriers(): readonly CourierState[] {
    const atWork = [...this.#couriers.values()].filter((courier) => courier.isAtWork(this.#nowMs));
    return atWork.map((courier) => courier.stateAt(this.#nowMs)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** True when nothing more can happen: all orders are done, or nobody is left who could take those that are not. */
  isOver(): boolean {
    if (this.#ordersToCome) return false;
    if (this.#open.size === 0) return true;
    if (this.#shiftsToCome) return false;
    const isAsked = [...this.#open.values()].some(({ stage }) => stage.kind === "asked");
    return !isAsked && ![...this.#couriers.values()].some((courier) => courier.isAtWork(this.#nowMs));
  }

  #handle(event: WorldEvent): void {
    switch (event.kind) {
      case "start-shift":
        this.#startShift(event.shift);
        return;
      case "place":
        this.#place(event.order);
        return;
      case "answer":
        this.#answer(event.orderId, event.id, event.atMs);
        return;
      case "pick-up":
      case "deliver":
      case "free":
        this.#follow(event.kind, event.id, event.trip);
        return;
      case "give-up":
        this.#giveUp(event.id, event.atMs);
        return;
      default:
        event satisfies never;
    }
  }

  #startShift(shift: Shift): void {
    this.#expectShift();
    const { courierId, onMs } = shift;
    const known = this.#couriers.get(courierId);
    if (known === undefined) this.#couriers.set(courierId, new CourierAtWork(shift, this.#script.rules));
    else known.startShift(shift);
    this.#happenings.push({ kind: "shift-started", atMs: Math.max(onMs, this.#script.startMs), courierId });
  }

  #place(order: CustomerOrder): void {
    this.#expectOrder();
    this.#open.set(order.id, { order, stage: { kind: "waiting" } });
    this.#happenings.push({ kind: "order-placed", atMs: order.placedAtMs, order });
    if (order.givesUpAtMs !== undefined) {
      this.#queue.push({ kind: "give-up", atMs: order.givesUpAtMs, id: order.id });
    }
  }

  #answer(orderId: string, courierId: string, atMs: number): void {
    const open = this.#open.get(orderId);
    if (open?.stage.kind !== "asked" || open.stage.courierId !== courierId) return;
    const courier = this.#courier(courierId);
    const store = this.#store(open.order);
    const fitsShift = courier.canPickUp({ order: open.order, store }, atMs);
    if (!fitsShift || !this.#script.rules.answer({ orderId, courierId }).accepts) {
      open.stage = { kind: "waiting" };
      this.#decline({ orderId, courierId, atMs }, fitsShift ? "unwilling" : "shift-over");
      return;
    }
    open.stage = { kind: "accepted", courierId };
    const free = courier.accept({ order: open.order, store }, atMs);
    this.#happenings.push({ kind: "assignment-accepted", atMs, orderId, courierId, free });
    this.#setOut(courier, atMs);
  }

  /** Carries out one event of a trip; the trip of an order that was taken away no longer counts. */
  #follow(kind: "pick-up" | "deliver" | "free", courierId: string, trip: Trip): void {
    const courier = this.#courier(courierId);
    if (courier.trip !== trip) return;
    const { orderId } = trip;
    if (kind === "free") {
      courier.finishTrip();
      this.#setOut(courier, trip.freeMs);
    } else if (kind === "pick-up") {
      const open = this.#open.get(orderId);
      assert(open !== undefined, `courier ${courierId} picks up order ${orderId}, which is not open`);
      open.stage = { kind: "picked-up", courierId };
      this.#happenings.push({ kind: "order-picked-up", atMs: trip.pickUpMs, orderId, courierId });
    } else {
      this.#open.delete(orderId);
      this.#happenings.push({ kind: "order-delivered", atMs: trip.deliverMs, orderId, courierId });
    }
  }

  #giveUp(orderId: string, atMs: number): void {
    const open = this.#open.get(orderId);
    if (open === undefined || open.stage.kind === "picked-up") return;
    this.#open.delete(orderId);
    this.#happenings.push({ kind: "order-cancelled", atMs, orderId });
    if (open.stage.kind === "accepted") this.#takeAway(orderId, open.stage.courierId, atMs);
  }

  #takeAway(orderId: string, courierId: string, atMs: number): void {
    const courier = this.#courier(courierId);
    courier.drop(orderId, atMs);
    this.#setOut(courier, atMs);
  }

  #setOut(courier: CourierAtWork, atMs: number): void {
    const trip = courier.setOut(atMs);
    if (trip === undefined) return;
    this.#queue.push({ kind: "pick-up", atMs: trip.pickUpMs, id: courier.id, trip });
    this.#queue.push({ kind: "deliver", atMs: trip.deliverMs, id: courier.id, trip });
    this.#queue.push({ kind: "free", atMs: trip.freeMs, id: courier.id, trip });
  }

  #decline(
    at: { readonly orderId: string; readonly courierId: string; readonly atMs: number },
    because: DeclineReason,
  ): void {
    this.#happenings.push({ kind: "assignment-declined", ...at, because });
  }

  /** Puts the next shift into the queue; shifts that ended before the start of the script never were. */
  #expectShift(): void {
    for (;;) {
      const next = this.#shifts.next();
      this.#shiftsToCome = next.done !== true;
      if (next.done === true) return;
      const shift = next.value;
      if (shift.offMs <= this.#script.startMs) continue;
      this.#queue.push({ kind: "start-shift", atMs: shift.onMs, id: shift.courierId, shift });
      return;
    }
  }

  #expectOrder(): void {
    const next = this.#orders.next();
    this.#ordersToCome = next.done !== true;
    if (next.done === true) return;
    const order = next.value;
    this.#queue.push({ kind: "place", atMs: order.placedAtMs, id: order.id, order });
  }

  #courier(id: string): CourierAtWork {
    const courier = this.#couriers.get(id);
    assert(courier !== undefined, `courier ${id} is not in the city`);
    return courier;
  }

  #store(order: CustomerOrder): Point {
    const store = this.#stores.get(order.storeId);
    assert(store !== undefined, `order ${order.id} names the unknown store ${order.storeId}`);
    return store;
  }
}

function compareEvents(left: WorldEvent, right: WorldEvent): number {
  if (left.atMs !== right.atMs) return left.atMs - right.atMs;
  if (left.kind !== right.kind) return RANK[left.kind] - RANK[right.kind];
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  return orderIdOf(left) < orderIdOf(right) ? -1 : 1;
}

function orderIdOf(event: WorldEvent): string {
  return event.kind === "answer" ? event.orderId : "";
}
