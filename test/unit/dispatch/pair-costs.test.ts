import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { bundleInSequence, type Bundle } from "../../../worker/dispatch/bundle.ts";
import { courierColumnsOf } from "../../../worker/dispatch/courier-columns.ts";
import { pairCost } from "../../../worker/dispatch/pair-costs.ts";
import { poolOf } from "../../../worker/dispatch/pool.ts";
import { matchingProblemOf } from "../../../worker/dispatch/problem.ts";
import { aRandomSnapshot, MINUTE_MS, PARAMETERS } from "../../support/dispatch-snapshot.ts";

const PARTICULARS = {
  ...PARAMETERS,
  bundleDelayMaxMs: 20 * MINUTE_MS,
  clickToDoorTargetMs: 25 * MINUTE_MS,
  vehicleSpeeds: { car: 451, bicycle: 237 },
  weights: { lateAtPickup: 9.7, lateAtDoor: 3.3, travel: 1.1, waiting: 2.3, reassignment: 0.7, age: 2 },
};

/** A random city with vehicles and orders that can be given back, and bundles of up to three of its orders. */
function aRandomCity(seed: number) {
  const snapshot = aRandomSnapshot(seed, { orders: 30, couriers: 25 });
  const vehicles = ["car", "bicycle", ""];
  const pool = poolOf(
    {
      ...snapshot,
      couriers: snapshot.couriers.map((courier, index) => ({
        ...courier,
        vehicle: vehicles[index % vehicles.length]!,
        capacity: 1 + (index % 4),
      })),
      orders: snapshot.orders.map((order, index) => ({
        ...order,
        vehicles: index % 7 === 0 ? ["car"] : [],
        assignment:
          order.assignment === undefined || index % 2 === 0
            ? order.assignment
            : { ...order.assignment, courier: `c${index % 25}`, isAccepted: false },
      })),
    },
    PARTICULARS,
  );
  const bundles: Bundle[] = [];
  for (let first = 0; first < pool.orders.length; first += 1 + (first % 3)) {
    const { store, ...rest } = pool.orders[first]!;
    const orders = pool.orders.slice(first, first + 1 + (first % 3)).map((order) => ({ ...order, store }));
    bundles.push(bundleInSequence(orders.length === 1 ? [{ store, ...rest }] : orders));
  }
  return { pool, bundles };
}

test("the costs that the matching asks for are those of the pairs, and none is below its bound", () => {
  let finite = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { pool, bundles } = aRandomCity(seed);
      const problem = matchingProblemOf(pool, courierColumnsOf(pool), bundles, PARTICULARS);
      const columns = Int32Array.from(pool.couriers.keys());
      const costs = new Float64Array(columns.length);
      bundles.forEach((bundle, row) => {
        problem.pairCosts(row, columns, columns.length, costs);
        pool.couriers.forEach((courier, column) => {
          const cost = pairCost(bundle, courier, PARTICULARS);
          expect(problem.pairCost(row, column)).toBe(cost);
          expect(costs[column]).toBe(cost);
          const meters = Math.hypot(courier.start.x - bundle.store.x, courier.start.y - bundle.store.y);
          const group = problem.columns.group[column]!;
          for (const share of [0, 0.5, 1]) {
            expect(problem.pairCostAtLeast(row, group, share * meters)).toBeLessThanOrEqual(cost);
          }
          if (cost < Infinity) finite++;
        });
      });
    }),
  );
  expect(finite).toBeGreaterThan(3_000);
});
