import { randomStream } from "../../local/traffic/random.ts";
import { DEFAULT_PARAMETERS } from "../../worker/dispatch/default-parameters.ts";
import type { DispatchAnswer } from "../../worker/dispatch-pool/protocol.ts";
import type { PoolQuestion } from "../../worker/dispatch-pool/dispatch-pool.ts";
import type {
  Courier,
  DispatchParameters,
  DispatchSnapshot,
  Order,
  OrderAssignment,
  Point,
} from "../../worker/dispatch/model.ts";

/** Builders for a city in which a courier rides 300 m a minute. Places are metres east and north of its middle. */

export const MINUTE_MS = 60_000;
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

const MIDDLE = { latitude: 40.4, longitude: -3.7 } as const;
const METERS_PER_DEGREE = (6_371_008.8 * Math.PI) / 180;

export const PARAMETERS: DispatchParameters = {
  ...DEFAULT_PARAMETERS,
  periodMs: 10_000,
  horizonMs: 20 * MINUTE_MS,
  courierFreeWithinMs: 10 * MINUTE_MS,
  courierSpeedMetersPerMinute: 300,
  serviceTimeMs: 2 * MINUTE_MS,
  pickupTravelMaxMs: 30 * MINUTE_MS,
};

export function at(eastMeters: number, northMeters = 0): Point {
  const metersPerDegreeEast = METERS_PER_DEGREE * Math.cos((MIDDLE.latitude * Math.PI) / 180);
  return {
    latitude: MIDDLE.latitude + northMeters / METERS_PER_DEGREE,
    longitude: MIDDLE.longitude + eastMeters / metersPerDegreeEast,
  };
}

/** Ready now at the middle of the city, unless told otherwise. */
export function anOrder(id: string, rest: Partial<Order> = {}): Order {
  return {
    id,
    storeId: `store-of-${id}`,
    store: at(0),
    door: at(0, 1_500),
    placedAtMs: NOW_MS - 10 * MINUTE_MS,
    readyAtMs: NOW_MS,
    vehicles: [],
    assignment: undefined,
    declinedBy: [],
    ...rest,
  };
}

/** What an order says that the courier has had for a minute, and accepted. */
export function assignedTo(courier: string, rest: Partial<OrderAssignment> = {}): OrderAssignment {
  return {
    courier,
    assignedAtMs: NOW_MS - MINUTE_MS,
    isAccepted: true,
    reassignments: 0,
    ...rest,
  };
}

/** Idle at the middle of the city with hours to go, unless told otherwise. */
export function aCourier(id: string, rest: Partial<Courier> = {}): Courier {
  return {
    id,
    position: at(0),
    positionAtMs: NOW_MS,
    vehicle: "",
    capacity: 2,
    load: 0,
    unacknowledged: 0,
    freeAtMs: undefined,
    freePosition: undefined,
    shiftEndsAtMs: NOW_MS + 240 * MINUTE_MS,
    ...rest,
  };
}

export function aSnapshot(orders: readonly Order[], couriers: readonly Courier[]): DispatchSnapshot {
  return { nowMs: NOW_MS, orders, couriers };
}

/** What is asked of `optimal` alone, with these parameters. */
export function aQuestion(rest: Partial<PoolQuestion> = {}): PoolQuestion {
  return { dispatchers: ["optimal"], parameters: PARAMETERS, own: {}, record: undefined, ...rest };
}

/** What a thread answers that decided nothing. */
export function anAnswer(rest: Partial<DispatchAnswer> = {}): DispatchAnswer {
  return {
    by: "optimal",
    decisions: [],
    degraded: false,
    gap: undefined,
    refused: [],
    failures: [],
    explanations: new Uint8Array(),
    leftOut: 0,
    record: undefined,
    tookMs: { dispatch: 0, validate: 0 },
    ...rest,
  };
}

/** A random city with all that a filter may meet: declined orders, busy couriers, ends of shifts, far corners. */
export function aRandomSnapshot(
  seed: number,
  size: { readonly orders: number; readonly couriers: number },
): DispatchSnapshot {
  const random = randomStream(seed, "snapshot");
  const between = (low: number, high: number): number => Math.floor(low + random() * (high - low));
  const somewhere = (): Point => at(between(-6_000, 6_000), between(-6_000, 6_000));
  const orders = Array.from({ length: size.orders }, (_, index) => {
    const readyAtMs = NOW_MS + between(-10, 30) * MINUTE_MS;
    return anOrder(`o${index}`, {
      store: somewhere(),
      door: somewhere(),
      placedAtMs: Math.min(NOW_MS, readyAtMs - between(5, 30) * MINUTE_MS),
      readyAtMs,
      assignment: random() < 0.1 ? assignedTo("somebody") : undefined,
      declinedBy: random() < 0.2 ? [`c${between(0, size.couriers)}`] : [],
    });
  });
  const couriers = Array.from({ length: size.couriers }, (_, index) => {
    const isBusy = random() < 0.4;
    return aCourier(`c${index}`, {
      position: somewhere(),
      load: isBusy ? between(1, 3) : 0,
      unacknowledged: isBusy && random() < 0.2 ? 1 : 0,
      freeAtMs: isBusy && random() < 0.9 ? NOW_MS + between(-2, 20) * MINUTE_MS : undefined,
      freePosition: isBusy ? somewhere() : undefined,
      shiftEndsAtMs: NOW_MS + between(-5, 120) * MINUTE_MS,
    });
  });
  return aSnapshot(orders, couriers);
}
