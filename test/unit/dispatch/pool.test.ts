import { expect, test } from "@jest/globals";
import { poolOf } from "../../../worker/dispatch/pool.ts";
import { aCourier, aSnapshot, PARAMETERS } from "../../support/dispatch-snapshot.ts";

test.each([
  ["bicycle", 250],
  ["car", 300],
  ["", 300],
  // A kind of vehicle may have any name, also one that every object knows.
  ["constructor", 300],
])("a courier whose vehicle is %p travels %i metres a minute", (vehicle, expected) => {
  const parameters = {
    ...PARAMETERS,
    courierSpeedMetersPerMinute: 300,
    vehicleSpeeds: { bicycle: 250 },
  };
  const { couriers } = poolOf(aSnapshot([], [aCourier("a", { vehicle })]), parameters);
  expect(couriers.map(({ metersPerMinute }) => metersPerMinute)).toEqual([expected]);
});
