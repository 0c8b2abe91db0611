import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { ColumnGrid, frameOf } from "../../../../worker/dispatch/matching/grid.ts";

const meters = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -5_000, max: 5_000 }) },
  // A phone that reports 0°, 0°.
  { weight: 1, arbitrary: fc.constant(-9_000_000) },
);
const places = fc.array(fc.record({ x: meters, y: meters }), { minLength: 1, maxLength: 300 });

function gridOf(columns: readonly { readonly x: number; readonly y: number }[]): ColumnGrid {
  const x = Float64Array.from(columns, (place) => place.x);
  const y = Float64Array.from(columns, (place) => place.y);
  return new ColumnGrid(Int32Array.from(columns.keys()), x, y, frameOf(x, y));
}

test("every column is in one cell, and no nearer to any place than its ring says", () => {
  fc.assert(
    fc.property(places, meters, meters, (columns, x, y) => {
      const grid = gridOf(columns);
      expect(grid.items.toSorted()).toEqual(Int32Array.from(columns.keys()));
      for (let cell = 0; cell < grid.cellsEast * grid.cellsNorth; cell++) {
        const east = cell % grid.cellsEast;
        const north = Math.floor(cell / grid.cellsEast);
        const ring = Math.max(Math.abs(east - grid.eastOf(x)), Math.abs(north - grid.northOf(y)));
        for (const column of grid.items.subarray(grid.starts[cell], grid.starts[cell + 1])) {
          const distance = Math.hypot(columns[column]!.x - x, columns[column]!.y - y);
          expect(grid.metersToRing(x, y, ring)).toBeLessThanOrEqual(distance + 1e-6);
        }
      }
    }),
  );
});

test("rings are the further away the larger they are, until there are none", () => {
  fc.assert(
    fc.property(places, meters, meters, (columns, x, y) => {
      const grid = gridOf(columns);
      let before = 0;
      for (let ring = 0; before < Infinity; ring++) {
        const distance = grid.metersToRing(x, y, ring);
        expect(distance).toBeGreaterThanOrEqual(before);
        expect(ring).toBeLessThanOrEqual(Math.max(grid.cellsEast, grid.cellsNorth));
        before = distance;
      }
    }),
  );
});

test("one column on the other side of the world does not put all others into one cell", () => {
  const columns = Array.from({ length: 400 }, (_, index) => ({ x: (index % 20) * 100, y: index * 5 }));
  const grid = gridOf([...columns, { x: -9_000_000, y: 4_000_000 }]);
  const fullest = Math.max(...grid.starts.slice(1).map((end, cell) => end - grid.starts[cell]!));
  expect(fullest).toBeLessThan(20);
});
