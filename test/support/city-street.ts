import type { CityRules, CustomerOrder, Happening, Shift } from "../../local/traffic/city-script.ts";
import { CityWorld } from "../../local/traffic/city-world.ts";
import { distanceMeters, movedBy, type Point } from "../../local/traffic/geometry.ts";

/** A city of one street, one store and few people, and what happens in it as lines of text. */

export const MINUTE = 60_000;
export const HOME: Point = { latitude: 0, longitude: 0 };
export const east = (meters: number): Point => movedBy(HOME, { eastMeters: meters, northMeters: 0 });

/** Everything stands on one street; 100 m take a minute. The store is at 1,000 m, the door at 1,500 m. */
const STORE = { id: "s1", name: "Store", position: east(1_000) };
export const minutesBetween = (from: Point, to: Point): number => Math.round(distanceMeters(from, to) / 100);

const RULES: CityRules = {
  travelMs: ({ from, to }) => minutesBetween(from, to) * MINUTE,
  expectedTravelMs: (from, to) => minutesBetween(from, to) * MINUTE,
  pickupServiceMs: 4 * MINUTE,
  dropoffServiceMs: 2 * MINUTE,
  answer: () => ({ accepts: true, afterMs: 0 }),
};

export function order(id: string, changes: Partial<CustomerOrder> = {}): CustomerOrder {
  const promisedAtMs = changes.promisedAtMs ?? 10 * MINUTE;
  return {
    id,
    storeId: "s1",
    door: east(1_500),
    vehicles: [],
    placedAtMs: 0,
    promisedAtMs,
    readyAtMs: promisedAtMs,
    givesUpAtMs: undefined,
    ...changes,
  };
}

export function shift(courierId: string, changes: Partial<Shift> = {}): Shift {
  return {
    courierId,
    position: HOME,
    vehicle: "bicycle",
    capacity: 3,
    onMs: 0,
    offMs: 600 * MINUTE,
    ...changes,
  };
}

export function world(input: {
  readonly orders: readonly CustomerOrder[];
  readonly shifts?: readonly Shift[];
  readonly rules?: Partial<CityRules>;
}): CityWorld {
  return new CityWorld({
    startMs: 0,
    stores: [STORE],
    shifts: input.shifts ?? [shift("c1")],
    orders: input.orders,
    rules: { ...RULES, ...input.rules },
  });
}

export function inMinutes(happenings: readonly Happening[]): string[] {
  return happenings.map((happening) => {
    const minute = happening.atMs / MINUTE;
    switch (happening.kind) {
      case "shift-started":
        return `${minute} ${happening.courierId} on shift`;
      case "order-placed":
        return `${minute} ${happening.order.id} placed`;
      case "order-cancelled":
        return `${minute} ${happening.orderId} cancelled`;
      case "assignment-declined":
        return `${minute} ${happening.orderId} declined by ${happening.courierId}: ${happening.because}`;
      case "assignment-accepted":
        return `${minute} ${happening.orderId} accepted by ${happening.courierId}, free at ${happening.free.atMs / MINUTE}`;
      case "order-picked-up":
        return `${minute} ${happening.orderId} picked up by ${happening.courierId}`;
      case "order-delivered":
        return `${minute} ${happening.orderId} delivered by ${happening.courierId}`;
      default:
        return happening satisfies never;
    }
  });
}
