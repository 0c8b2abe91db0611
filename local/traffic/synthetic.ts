import { assert } from "../../runtime/errors.ts";
import type { CityRules, CityScript, CustomerOrder, Shift, Store } from "./city-script.ts";
import { arrivals, DAY_MS, HOUR_MS, MINUTE_MS } from "./demand.ts";
import { distanceMeters, movedBy, type Point } from "./geometry.ts";
import { choose, normal, randomStream, uniform, type Random } from "./random.ts";
import {
  LARGE_ORDER_VEHICLES,
  metersPerMinute,
  SYNTHETIC_SERVICE_MINUTES,
  vehicleAt,
  type SyntheticCity,
} from "./synthetic-city.ts";

/** The script of a made-up city, endless, all of it from one seed. */

export type SyntheticInput = {
  readonly city: SyntheticCity;
  readonly seed: number;
  /** Time of the simulated day to start at. */
  readonly startMs: number;
  /** Before every order's id, so that two runs on one database do not meet; it has no influence on what happens. */
  readonly orderPrefix: string;
};

/** Just before lunch: orders arrive from the first second, and the first peak is near. */
export const SYNTHETIC_START_MS = 12 * HOUR_MS;

/** Orders that are too large for a bicycle. */
const LARGE_SHARE = 0.05;
const DECLINE_SHARE = 0.03;
const CANCEL_SHARE = 0.02;
const COURIER_CAPACITY = 3;
const MALL_SHARE = 0.6;
const MALL_RADIUS_METERS = 80;
const DELIVERY_RADIUS_METERS = 1_000;
const ANSWER_AFTER_MS = { min: 3_000, max: 20_000 };
const COOKING_MS = { min: 6 * MINUTE_MS, max: 18 * MINUTE_MS };
const LATE_FOOD_MS = { min: -1 * MINUTE_MS, max: 4 * MINUTE_MS };
const CHANGE_OF_MIND_AFTER_MS = { min: 1 * MINUTE_MS, max: 15 * MINUTE_MS };
/** Whoever has seen no courier pick the order up by then cancels: a city without a dispatcher does not fill up for ever. */
const PATIENCE_MS = 90 * MINUTE_MS;
const TRAFFIC_SLOWNESS = { min: 0.9, max: 1.3 };
/** Of a hundred orders an hour, five are waiting when the simulation starts. */
const OPENING_HOURS = 0.05;
const OPENING_MS = 20_000;

/** Shifts by the courier's number modulo ten: four of ten cover lunch, four dinner, two the rest of the day and the night. */
const SHIFT_KINDS = [
  { below: 4, startHours: { min: 10, max: 12 }, lengthHours: { min: 4, max: 6.5 } },
  { below: 8, startHours: { min: 16.5, max: 19 }, lengthHours: { min: 4.5, max: 6.5 } },
] as const;
const ROUND_THE_CLOCK_HOURS = { min: 8, max: 9 };
/** Multiples of it, modulo 1, lie as evenly as any sequence can: no hour is left without couriers by chance. */
const GOLDEN_SECTION = 0.618_033_988_75;

export function syntheticScript(input: SyntheticInput): CityScript {
  const stores = storesOf(input);
  return {
    startMs: input.startMs,
    stores,
    shifts: shiftsOf(input),
    orders: ordersOf(input, stores),
    rules: rulesOf(input),
  };
}

function streamOf(input: SyntheticInput, ...keys: readonly (string | number)[]): Random {
  return randomStream(input.seed, input.city.name, ...keys);
}

function storesOf(input: SyntheticInput): readonly Store[] {
  const random = streamOf(input, "stores");
  const { city } = input;
  const malls = Array.from({ length: city.malls }, () => somewhereIn(city, random));
  return Array.from({ length: city.stores }, (_, index) => {
    const mall = random() < MALL_SHARE ? choose(random, malls) : undefined;
    const position = mall === undefined ? somewhereIn(city, random) : near(mall, MALL_RADIUS_METERS, random);
    return { id: `s${index + 1}`, name: `Store ${index + 1} of ${city.name}`, position };
  });
}

function* ordersOf(input: SyntheticInput, stores: readonly Store[]): Generator<CustomerOrder> {
  const { city, startMs } = input;
  let number = 0;
  const opening = streamOf(input, "opening");
  const openingCount = Math.ceil(city.ordersPerHourAtPeak * OPENING_HOURS);
  const openingTimes = Array.from({ length: openingCount }, () => startMs + OPENING_MS * opening());
  for (const placedAtMs of openingTimes.sort((a, b) => a - b)) {
    yield orderOf(input, stores, { number: ++number, placedAtMs });
  }
  const random = streamOf(input, "arrivals");
  const perHourAtPeak = city.ordersPerHourAtPeak;
  for (const placedAtMs of arrivals({ startMs: startMs + OPENING_MS, perHourAtPeak, random })) {
    yield orderOf(input, stores, { number: ++number, placedAtMs });
  }
}

function orderOf(
  input: SyntheticInput,
  stores: readonly Store[],
  arrival: { readonly number: number; readonly placedAtMs: number },
): CustomerOrder {
  const { number, placedAtMs } = arrival;
  const random = streamOf(input, "order", number);
  const store = choose(random, stores);
  assert(store !== undefined, `city ${input.city.name} has no store`);
  const door = near(store.position, DELIVERY_RADIUS_METERS, random);
  const promisedAtMs = placedAtMs + uniform(random, COOKING_MS);
  const readyAtMs = promisedAtMs + uniform(random, LATE_FOOD_MS);
  const changesMind = random() < CANCEL_SHARE;
  const changesMindAfterMs = uniform(random, CHANGE_OF_MIND_AFTER_MS);
  return {
    id: `${input.orderPrefix}o${number}`,
    storeId: store.id,
    door,
    vehicles: streamOf(input, "size", number)() < LARGE_SHARE ? LARGE_ORDER_VEHICLES : [],
    placedAtMs,
    promisedAtMs,
    readyAtMs,
    givesUpAtMs: placedAtMs + (changesMind ? changesMindAfterMs : PATIENCE_MS),
  };
}

/** Day by day from the day before the start, whose late shifts may still run. */
function* shiftsOf(input: SyntheticInput): Generator<Shift, never> {
  for (let day = Math.floor(input.startMs / DAY_MS) - 1; ; day++) {
    const numbers = Array.from({ length: input.city.couriers }, (_, index) => index + 1);
    yield* numbers.map((number) => shiftOf(input, number, day)).sort((a, b) => a.onMs - b.onMs);
  }
}

function shiftOf(input: SyntheticInput, number: number, day: number): Shift {
  const random = streamOf(input, "shift", number, day);
  const kind = SHIFT_KINDS.find(({ below }) => number % 10 < below);
  const startHour = kind === undefined ? roundTheClockHour(number) : uniform(random, kind.startHours);
  const onMs = Math.round(day * DAY_MS + startHour * HOUR_MS);
  const offMs = Math.round(onMs + uniform(random, kind?.lengthHours ?? ROUND_THE_CLOCK_HOURS) * HOUR_MS);
  const position = somewhereIn(input.city, random);
  // A courier has the same vehicle every day.
  const vehicle = vehicleAt(streamOf(input, "vehicle", number)());
  return { courierId: `c${number}`, position, vehicle, capacity: COURIER_CAPACITY, onMs, offMs };
}

function roundTheClockHour(number: number): number {
  const rank = 2 * Math.floor(number / 10) + (number % 2);
  return 24 * ((rank * GOLDEN_SECTION) % 1);
}

function rulesOf(input: SyntheticInput): CityRules {
  const keyOf = (orderId: string): string => orderId.slice(input.orderPrefix.length);
  const expectedTravelMs = (from: Point, to: Point, vehicle: string): number =>
    (distanceMeters(from, to) / metersPerMinute(vehicle)) * MINUTE_MS;
  return {
    expectedTravelMs,
    travelMs({ from, to, courierId, vehicle, orderId, leg }) {
      const random = streamOf(input, "travel", keyOf(orderId), courierId, leg);
      return expectedTravelMs(from, to, vehicle) * uniform(random, TRAFFIC_SLOWNESS);
    },
    pickupServiceMs: SYNTHETIC_SERVICE_MINUTES * MINUTE_MS,
    dropoffServiceMs: SYNTHETIC_SERVICE_MINUTES * MINUTE_MS,
    answer({ orderId, courierId }) {
      const random = streamOf(input, "answer", keyOf(orderId), courierId);
      return { accepts: random() >= DECLINE_SHARE, afterMs: uniform(random, ANSWER_AFTER_MS) };
    },
  };
}

/** Evenly over the disk of the city. */
function somewhereIn(city: SyntheticCity, random: Random): Point {
  const distance = city.radiusMeters * Math.sqrt(random());
  const angle = 2 * Math.PI * random();
  return movedBy(city.center, {
    eastMeters: distance * Math.cos(angle),
    northMeters: distance * Math.sin(angle),
  });
}

function near(place: Point, deviationMeters: number, random: Random): Point {
  return movedBy(place, {
    eastMeters: deviationMeters * normal(random),
    northMeters: deviationMeters * normal(random),
  });
}
