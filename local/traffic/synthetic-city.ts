import { DEFAULT_DISPATCH, type CityDispatchSpec } from "../../crds/city.ts";
import type { Point } from "./geometry.ts";
import { randomStream, uniform } from "./random.ts";

/** How large a made-up city is and how its people behave. */
export type SyntheticCity = {
  readonly name: string;
  readonly center: Point;
  readonly radiusMeters: number;
  readonly ordersPerHourAtPeak: number;
  /** All who have a shift some time of the day; at the peaks about half of them are on. */
  readonly couriers: number;
  readonly stores: number;
  /** Most stores stand in clusters: all orders of one mall see the same couriers. */
  readonly malls: number;
};

/** The speed at which the demo's day passes: a delivery takes about a minute. */
export const DEMO_SPEED = 20;

/** What couriers of made-up cities do at each stop. */
export const SYNTHETIC_SERVICE_MINUTES = 2;

/** Shares of the couriers, and metres per minute in a straight line. */
const VEHICLES = [
  { vehicle: "bicycle", share: 0.6, metersPerMinute: 280 },
  { vehicle: "scooter", share: 0.3, metersPerMinute: 330 },
  { vehicle: "car", share: 0.1, metersPerMinute: 300 },
] as const;

/** What carries an order that is too large for a bicycle. */
export const LARGE_ORDER_VEHICLES: readonly string[] = ["scooter", "car"];

/** The vehicle of the courier who is at this place among all, from 0 to below 1. */
export function vehicleAt(place: number): string {
  let sum = 0;
  for (const { vehicle, share } of VEHICLES) {
    sum += share;
    if (place < sum) return vehicle;
  }
  return VEHICLES[0].vehicle;
}

export function metersPerMinute(vehicle: string): number {
  const known = VEHICLES.find((candidate) => candidate.vehicle === vehicle) ?? VEHICLES[0];
  return known.metersPerMinute;
}

/** The dispatch parameters that fit made-up cities in real time; `scaledDispatch` fits them to an accelerated day. */
export const SYNTHETIC_DISPATCH: CityDispatchSpec = {
  ...DEFAULT_DISPATCH,
  vehicleSpeeds: Object.fromEntries(
    VEHICLES.map(({ vehicle, metersPerMinute: metersAMinute }) => [vehicle, metersAMinute]),
  ),
  serviceTime: `${SYNTHETIC_SERVICE_MINUTES}m`,
};

const PRESETS: readonly SyntheticCity[] = [
  preset("madrid", { latitude: 40.4168, longitude: -3.7038 }, 90),
  preset("paris", { latitude: 48.8566, longitude: 2.3522 }, 110),
  preset("london", { latitude: 51.5074, longitude: -0.1278 }, 120),
  preset("berlin", { latitude: 52.52, longitude: 13.405 }, 70),
  preset("lisbon", { latitude: 38.7223, longitude: -9.1393 }, 40),
  preset("rome", { latitude: 41.9028, longitude: 12.4964 }, 60),
  preset("barcelona", { latitude: 41.3874, longitude: 2.1686 }, 80),
  preset("warsaw", { latitude: 52.2297, longitude: 21.0122 }, 50),
];

export const PRESET_CITY_NAMES: readonly string[] = PRESETS.map(({ name }) => name);

/** The city of this name: one of the presets, else a small town whose place and size follow from its name. */
export function syntheticCity(name: string): SyntheticCity {
  const known = PRESETS.find((city) => city.name === name);
  if (known !== undefined) return known;
  const random = randomStream(0, "town", name);
  const center = {
    latitude: uniform(random, { min: 36, max: 58 }),
    longitude: uniform(random, { min: -9, max: 24 }),
  };
  return preset(name, center, Math.round(uniform(random, { min: 20, max: 50 })));
}

/** A delivery keeps a courier for about half an hour, so that 1.6 couriers an order and hour leave some idle at the peak. */
function preset(name: string, center: Point, ordersPerHourAtPeak: number): SyntheticCity {
  return {
    name,
    center,
    radiusMeters: 2_500 + 15 * ordersPerHourAtPeak,
    ordersPerHourAtPeak,
    couriers: Math.ceil(1.6 * ordersPerHourAtPeak),
    stores: Math.ceil(0.6 * ordersPerHourAtPeak),
    malls: Math.max(2, Math.round(ordersPerHourAtPeak / 25)),
  };
}
