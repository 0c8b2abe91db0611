import type { DispatchParameters } from "./model.ts";

const MINUTE_MS = 60_000;

/** What a City that says nothing else is dispatched by. The defaults of `crds/city.yaml` are these. */
export const DEFAULT_PARAMETERS: DispatchParameters = {
  periodMs: 10_000,
  horizonMs: 20 * MINUTE_MS,
  courierFreeWithinMs: 10 * MINUTE_MS,
  courierSpeedMetersPerMinute: 300,
  vehicleSpeeds: {},
  serviceTimeMs: 4 * MINUTE_MS,
  pickupTravelMaxMs: 45 * MINUTE_MS,
  bundleOrdersMax: 3,
  bundleDelayMaxMs: 10 * MINUTE_MS,
  clickToDoorTargetMs: 40 * MINUTE_MS,
  positionAgeMaxMs: 10 * MINUTE_MS,
  reassignGainMinMs: 3 * MINUTE_MS,
  reassignmentsMax: 1,
  weights: { lateAtPickup: 10, lateAtDoor: 5, travel: 1, waiting: 1, reassignment: 10, age: 2 },
};
