import { describe, expect, test } from "@jest/globals";
import { DEFAULT_DISPATCH, type TaskSpec } from "../../../crds/city.ts";
import { decodeAssignment, encodeAssignment, type Lease } from "../../../crds/lease.ts";
import { DEFAULT_PARAMETERS } from "../../../worker/dispatch/default-parameters.ts";
import { dispatchParametersOf } from "../../../worker/tenure/inputs.ts";
import { cityOf, taskOf } from "../../support/cities.ts";

const MINUTE_MS = 60_000;

/** The task as the next reader of the Lease finds it. */
function throughLease(task: TaskSpec): TaskSpec {
  const lease: Lease = encodeAssignment({
    city: cityOf("madrid"),
    worker: "w1",
    task,
    replaces: undefined,
    nowMs: 0,
  });
  const stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: "1" } };
  return decodeAssignment(stored).task!;
}

describe("the dispatcher's parameters", () => {
  test("are the City's, in the dispatcher's units", () => {
    const dispatch = {
      horizon: "25m",
      courierFreeWithin: "1m30s",
      courierSpeedMetersPerMinute: 320,
      vehicleSpeeds: { bicycle: 250, car: 500 },
      serviceTime: "90s",
      pickupTravelMax: "1h",
      bundleOrdersMax: 2,
      bundleDelayMax: "0s",
      clickToDoorTarget: "35m",
      positionAgeMax: "45s",
      reassignGainMin: "500ms",
      reassignmentsMax: 0,
      weights: { lateAtPickup: 9, lateAtDoor: 8, travel: 7, waiting: 6, reassignment: 5, age: 4 },
    };
    expect(dispatchParametersOf(throughLease(taskOf(cityOf("madrid", { period: "10s", dispatch }))))).toEqual(
      {
        periodMs: 10_000,
        horizonMs: 25 * MINUTE_MS,
        courierFreeWithinMs: 90_000,
        courierSpeedMetersPerMinute: 320,
        vehicleSpeeds: { bicycle: 250, car: 500 },
        serviceTimeMs: 90_000,
        pickupTravelMaxMs: 60 * MINUTE_MS,
        bundleOrdersMax: 2,
        bundleDelayMaxMs: 0,
        clickToDoorTargetMs: 35 * MINUTE_MS,
        positionAgeMaxMs: 45_000,
        reassignGainMinMs: 500,
        reassignmentsMax: 0,
        weights: dispatch.weights,
      },
    );
  });

  test("of a City that says nothing are those that the dispatcher has by itself", () => {
    const task = taskOf(cityOf("madrid", { period: "10s", dispatch: DEFAULT_DISPATCH }));
    expect(dispatchParametersOf(task)).toEqual(DEFAULT_PARAMETERS);
  });

  test("of a Lease that an older operator wrote are its own, and the defaults for what it does not say", () => {
    const { horizon, courierFreeWithin, courierSpeedMetersPerMinute, serviceTime } = DEFAULT_DISPATCH;
    const older = {
      ...taskOf(cityOf("madrid", { period: "10s" })),
      dispatch: {
        horizon,
        courierFreeWithin,
        courierSpeedMetersPerMinute,
        serviceTime,
        pickupTravelMax: "30m",
      },
    };
    expect(dispatchParametersOf(throughLease(older))).toEqual({
      ...DEFAULT_PARAMETERS,
      pickupTravelMaxMs: 30 * MINUTE_MS,
    });
    const withoutWeight = { ...older, dispatch: { weights: { age: 7 } } };
    expect(dispatchParametersOf(throughLease(withoutWeight))).toEqual({
      ...DEFAULT_PARAMETERS,
      weights: { ...DEFAULT_PARAMETERS.weights, age: 7 },
    });
  });

  test("of a Lease that a newer operator wrote are those that this version knows", () => {
    const known = taskOf(cityOf("madrid", { period: "10s" }));
    const newer = { ...known, mood: "good", dispatch: { ...known.dispatch, batches: 4 } } as TaskSpec;
    expect(dispatchParametersOf(throughLease(newer))).toEqual(DEFAULT_PARAMETERS);
  });
});
