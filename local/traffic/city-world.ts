import { assert } from "../../runtime/errors.ts";
import type {
  Assignment,
  CityScript,
  CustomerOrder,
  DeclineReason,
  Happening,
  Shift,
} from "./city-script.ts";
import { CourierAtWork, type CourierState } from "./courier-at-work.ts";
import { createEventQueue } from "./event-queue.ts";
import type { Point } from "./geometry.ts";
import type { Task, Trip } from "./trip.ts";
import { compareEvents, type WorldEvent } from "./world-events.ts";

/**
 * One city as a state machine over simulated time, without I/O: customers place orders and sometimes cancel, couriers come
 * on shift, answer the assignments they are told of, and carry them out one bundle after the other.
 *
 *     waiting ──assign──▶ asked ──accepted──▶ accepted ──at the store, ready──▶ picked-up ──▶ delivered
 *        ▲                  │                    │
 *        └─────declined─────┘     the customer gives up before the pickup: cancelled
 *
 * An order that is asked or accepted may be given to another courier, who is asked in turn.
 *
 * The same script and the same assignments at the same times give the same happenings, however `advance` is cut into steps.
 */

type OpenOrder = { readonly order: CustomerOrder; stage: Stage };

type Stage =
  | { readonly kind: "waiting" }
  | {
      readonly kind: "asked" | "accepted" | "picked-up";
      readonly courierId: string;
      /** As the courier was told. */
      readonly bundle: NonNullable<Assignment["bundle"]>;
    };

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
  assign(told: Assignment): void {
    const { orderId, courierId, atMs, bundle = { name: `alone ${orderId}`, stop: 1 } } = told;
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
    open.stage = { kind: "asked", courierId, bundle };
    const { afterMs } = this.#script.rules.answer({ orderId, courierId });
    this.#queue.push({ kind: "answer", atMs: atMs + afterMs, id: courierId, orderId });
  }

  /**
   * The assignment no longer stands, although the courier was told of it: the order waits for another one. Also when the courier
   * believes to have picked it up already: the store has it still.
   */
  withdraw(told: { readonly orderId: string; readonly courierId: string; readonly atMs: number }): void {
    const open = this.#open.get(told.orderId);
    if (open === undefined || open.stage.kind === "waiting") return;
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
      case "give-up":
        this.#giveUp(event.id, event.atMs);
        return;
      case "pick-up":
      case "deliver":
      case "free":
        this.#follow(event);
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
    const { order, stage } = open;
    const { name: bundle, stop } = stage.bundle;
    const task = { order, store: this.#store(order), bundle, stop };
    const because = this.#reasonToDecline(courier, task, atMs);
    if (because !== undefined) {
      open.stage = { kind: "waiting" };
      this.#decline({ orderId, courierId, atMs }, because);
      return;
    }
    open.stage = { ...stage, kind: "accepted" };
    const before = courier.trip;
    const free = courier.accept(task, atMs);
    this.#happenings.push({ kind: "assignment-accepted", atMs, orderId, courierId, free });
    this.#goOn(courier, before, atMs);
  }

  #reasonToDecline(courier: CourierAtWork, task: Task, atMs: number): DeclineReason | undefined {
    const { id, vehicles } = task.order;
    if (vehicles.length > 0 && !vehicles.includes(courier.vehicle)) return "wrong-vehicle";
    if (!courier.canPickUp(task, atMs)) return "shift-over";
    const { accepts } = this.#script.rules.answer({ orderId: id, courierId: courier.id });
    return accepts ? undefined : "unwilling";
  }

  /** Carries out one event of a trip; what was planned anew meanwhile no longer counts. */
  #follow(event: Extract<WorldEvent, { readonly trip: Trip }>): void {
    const { id: courierId, trip, atMs } = event;
    const courier = this.#courier(courierId);
    if (courier.trip !== trip) return;
    if (event.kind === "deliver") {
      this.#open.delete(event.orderId);
      this.#happenings.push({ kind: "order-delivered", atMs, orderId: event.orderId, courierId });
    } else if (event.kind === "pick-up") {
      courier.pickUp();
      for (const { task } of trip.doors) this.#pickUp(task.order.id, courierId, atMs);
    } else {
      courier.finishTrip();
      this.#goOn(courier, trip, atMs);
    }
  }

  #pickUp(orderId: string, courierId: string, atMs: number): void {
    const open = this.#open.get(orderId);
    assert(
      open?.stage.kind === "accepted" && open.stage.courierId === courierId,
      `courier ${courierId} picks up order ${orderId} without having it`,
    );
    open.stage = { ...open.stage, kind: "picked-up" };
    this.#happenings.push({ kind: "order-picked-up", atMs, orderId, courierId });
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
    const before = courier.trip;
    courier.drop(orderId, atMs);
    this.#goOn(courier, before, atMs);
  }

  /** Sets out if there is nothing under way, and expects what a trip brings that is not the one before any more. */
  #goOn(courier: CourierAtWork, before: Trip | undefined, atMs: number): void {
    courier.setOut(atMs);
    const { trip } = courier;
    if (trip === undefined || trip === before) return;
    const { id } = courier;
    if (!courier.hasPickedUp) this.#queue.push({ kind: "pick-up", atMs: trip.pickUpMs, id, trip });
    for (const { task, deliverMs } of trip.doors) {
      this.#queue.push({ kind: "deliver", atMs: deliverMs, id, trip, orderId: task.order.id });
    }
    this.#queue.push({ kind: "free", atMs: trip.freeMs, id, trip });
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
