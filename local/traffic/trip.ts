import type { CityRules, CustomerOrder, FreeAgain } from "./city-script.ts";
import { between, type Point } from "./geometry.ts";

/**
 * One courier's way with a bundle, mostly of one order: from setting out to being free again. Times are milliseconds of the
 * simulated day.
 */
export type Trip = {
  /** Orders that are told to a courier under one name are picked up together. */
  readonly bundle: string;
  readonly from: Point;
  readonly store: Point;
  readonly departMs: number;
  readonly atStoreMs: number;
  readonly pickUpMs: number;
  readonly leaveMs: number;
  /** In the order in which they are reached; at least one. */
  readonly doors: readonly DoorStop[];
  readonly freeMs: number;
};

export type DoorStop = {
  readonly task: Task;
  readonly atDoorMs: number;
  readonly deliverMs: number;
  readonly leaveMs: number;
};

/** One order as its courier has it. */
export type Task = {
  readonly order: CustomerOrder;
  readonly store: Point;
  readonly bundle: string;
  /** Which door of the bundle: the smaller, the earlier. */
  readonly stop: number;
};

export type TripRules = {
  readonly pickupServiceMs: number;
  readonly dropoffServiceMs: number;
  /** From door to door, the first time from the store. */
  toDoorMs(way: { readonly from: Point; readonly task: Task }): number;
};

/**
 * Half of the service time passes before each stop's event and half after, and nothing is picked up before all of it is
 * ready: the rules of the Meal Delivery Routing Problem (Reyes et al. 2018).
 */
export function planTrip(
  input: {
    readonly bundle: readonly Task[];
    readonly from: Point;
    readonly departMs: number;
    readonly toStoreMs: number;
    /** When the last order of the bundle is ready. */
    readonly readyAtMs: number;
    /** Of a plan that is made anew on the way: what has not happened yet happens from now on. */
    readonly nowMs?: number;
  },
  rules: TripRules,
): Trip {
  const { from, departMs, toStoreMs, readyAtMs, nowMs = 0 } = input;
  const bundle = input.bundle.toSorted((a, b) => a.stop - b.stop);
  const [first] = bundle;
  if (first === undefined) throw new RangeError("a trip needs an order");
  const atStoreMs = departMs + toStoreMs;
  const pickUpMs = Math.max(atStoreMs + rules.pickupServiceMs / 2, readyAtMs, nowMs);
  const leaveMs = pickUpMs + rules.pickupServiceMs / 2;
  const start = { from, store: first.store, departMs, atStoreMs, pickUpMs, leaveMs };
  return { bundle: first.bundle, ...start, ...planDoors(bundle, { from: first.store, leaveMs }, rules) };
}

/** The same trip without one of its orders, after the pickup: from where the courier is, to the doors that are left. */
export function withoutPickedUp(
  trip: Trip,
  orderId: string,
  atMs: number,
  rules: TripRules,
): Trip | undefined {
  const left = trip.doors.filter(({ task, deliverMs }) => deliverMs > atMs && task.order.id !== orderId);
  if (left.length === 0) return undefined;
  const here = positionOn(trip, atMs);
  const start = { from: here, store: here, departMs: atMs, atStoreMs: atMs, leaveMs: atMs };
  const tasks = left.map(({ task }) => task);
  return { ...trip, ...start, ...planDoors(tasks, { from: here, leaveMs: atMs }, rules) };
}

function planDoors(
  bundle: readonly Task[],
  start: { readonly from: Point; readonly leaveMs: number },
  rules: TripRules,
): Pick<Trip, "doors" | "freeMs"> {
  let { from, leaveMs } = start;
  const doors = bundle.map((task) => {
    const atDoorMs = leaveMs + rules.toDoorMs({ from, task });
    const deliverMs = atDoorMs + rules.dropoffServiceMs / 2;
    leaveMs = deliverMs + rules.dropoffServiceMs / 2;
    from = task.order.door;
    return { task, atDoorMs, deliverMs, leaveMs };
  });
  return { doors, freeMs: leaveMs };
}

/** The trip as the courier's app foresees it: with the promised readiness and the map's travel times. */
export function expectedTrip(input: {
  readonly bundle: readonly Task[];
  readonly start: FreeAgain;
  readonly vehicle: string;
  readonly rules: CityRules;
}): Trip {
  const { bundle, start, vehicle, rules } = input;
  const store = bundle[0]?.store ?? start.position;
  return planTrip(
    {
      bundle,
      from: start.position,
      departMs: start.atMs,
      toStoreMs: rules.expectedTravelMs(start.position, store, vehicle),
      readyAtMs: Math.max(...bundle.map(({ order }) => order.promisedAtMs)),
    },
    { ...rules, toDoorMs: ({ from, task }) => rules.expectedTravelMs(from, task.order.door, vehicle) },
  );
}

/** Where the courier is on this trip, at any time. */
export function positionOn(trip: Trip, atMs: number): Point {
  if (atMs < trip.atStoreMs) return onTheWay(trip.from, trip.store, trip.departMs, trip.atStoreMs, atMs);
  let [place, leaveMs] = [trip.store, trip.leaveMs];
  for (const { task, atDoorMs, leaveMs: leavesDoorMs } of trip.doors) {
    if (atMs < leaveMs) return place;
    if (atMs < atDoorMs) return onTheWay(place, task.order.door, leaveMs, atDoorMs, atMs);
    [place, leaveMs] = [task.order.door, leavesDoorMs];
  }
  return place;
}

function onTheWay(from: Point, to: Point, departMs: number, arriveMs: number, atMs: number): Point {
  if (atMs >= arriveMs) return to;
  return between(from, to, (atMs - departMs) / (arriveMs - departMs));
}
