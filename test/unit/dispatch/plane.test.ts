import { describe, expect, test } from "@jest/globals";
import { metersBetween, projectionOf, travelMs } from "../../../worker/dispatch/plane.ts";
import { anOrder, aSnapshot } from "../../support/dispatch-snapshot.ts";

const SOL = { latitude: 40.4169, longitude: -3.7035 };
const ATOCHA = { latitude: 40.4065, longitude: -3.6908 };

describe("the plane around a city", () => {
  const project = projectionOf(aSnapshot([anOrder("o", { store: SOL })], []));

  test("keeps distances within a thousandth of those on the sphere", () => {
    // Great-circle distance by the haversine formula.
    const meters = 1_579;
    const minutes = travelMs(metersBetween(project(SOL), project(ATOCHA)), 300) / 60_000;
    expect(Math.abs(minutes - meters / 300) / (meters / 300)).toBeLessThan(0.001);
  });

  test("shrinks degrees of longitude towards the poles", () => {
    const reykjavik = { latitude: 64.15, longitude: -21.94 };
    const further = { latitude: 64.15, longitude: -20.94 };
    const projectNorth = projectionOf(aSnapshot([anOrder("o", { store: reykjavik })], []));
    // 111.195 km · cos 64.15°
    expect(projectNorth(further).x - projectNorth(reykjavik).x).toBeCloseTo(48_484, -2);
  });

  test("is not bent by one store without a position", () => {
    const stores = [SOL, { latitude: 0, longitude: 0 }, ATOCHA];
    const bent = projectionOf(
      aSnapshot(
        stores.map((store, index) => anOrder(`o${index}`, { store })),
        [],
      ),
    );
    expect(bent(SOL).x).toBeCloseTo(project(SOL).x, -2);
  });

  test("takes whole milliseconds, and none from a place to itself", () => {
    expect(travelMs(metersBetween({ x: 0, y: 0 }, { x: 300, y: 400 }), 333)).toBe(90_090);
    expect(travelMs(metersBetween({ x: 5, y: 5 }, { x: 5, y: 5 }), 333)).toBe(0);
  });
});
