import { formatDuration, parseDuration } from "../../crds/duration.ts";
import type { CityDispatchSpec } from "../../crds/city.ts";

/** How the simulated day lies on the database's clock: it starts at one moment and passes `speed` times as fast. */
export type TimeScale = {
  /** Milliseconds of the simulated day → milliseconds since 1970, whole. */
  toDatabaseMs(worldMs: number): number;
  toWorldMs(databaseMs: number): number;
};

export function createTimeScale(input: {
  readonly speed: number;
  readonly startWorldMs: number;
  readonly startDatabaseMs: number;
}): TimeScale {
  const { speed, startWorldMs, startDatabaseMs } = input;
  return {
    toDatabaseMs: (worldMs) => Math.round(startDatabaseMs + (worldMs - startWorldMs) / speed),
    toWorldMs: (databaseMs) => startWorldMs + (databaseMs - startDatabaseMs) * speed,
  };
}

/** What `city.yaml` allows. */
const SHORTEST_MS = 1_000;
const METERS_PER_MINUTE_MAX = 100_000;
/** Couriers' positions are written at the pace of real time, however fast the day passes. */
const POSITION_AGE_MS_MIN = 30_000;

/**
 * The dispatch parameters of a City whose day passes `speed` times as fast: durations shrink, couriers speed up. What
 * would fall outside the City's schema stays at its limit.
 */
export function scaledDispatch(speed: number, base: CityDispatchSpec): CityDispatchSpec {
  const shrunk = (duration: string, leastMs: number): string =>
    formatDuration(Math.max(leastMs, parseDuration(duration) / speed));
  const spedUp = (metersPerMinute: number): number =>
    Math.min(METERS_PER_MINUTE_MAX, Math.max(1, Math.round(metersPerMinute * speed)));
  return {
    ...base,
    horizon: shrunk(base.horizon, SHORTEST_MS),
    courierFreeWithin: shrunk(base.courierFreeWithin, 0),
    courierSpeedMetersPerMinute: spedUp(base.courierSpeedMetersPerMinute),
    vehicleSpeeds: Object.fromEntries(
      Object.entries(base.vehicleSpeeds).map(([vehicle, metersPerMinute]) => [
        vehicle,
        spedUp(metersPerMinute),
      ]),
    ),
    serviceTime: shrunk(base.serviceTime, 0),
    pickupTravelMax: shrunk(base.pickupTravelMax, SHORTEST_MS),
    bundleDelayMax: shrunk(base.bundleDelayMax, 0),
    clickToDoorTarget: shrunk(base.clickToDoorTarget, SHORTEST_MS),
    positionAgeMax: shrunk(base.positionAgeMax, POSITION_AGE_MS_MIN),
    reassignGainMin: shrunk(base.reassignGainMin, 0),
  };
}
