import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  applyChanges,
  changesBetween,
  NOTHING,
  type Changes,
  type Item,
  type Picture,
} from "../../../operator/console/page/changes.ts";

const item = fc.record({
  worker: fc.option(fc.string()),
  committedAtMs: fc.nat(),
  isSuspended: fc.boolean(),
});
const things = fc
  .uniqueArray(fc.tuple(fc.constantFrom("madrid", "paris", "london", "__proto__", "constructor"), item), {
    selector: ([name]) => name,
  })
  .map((entries): ReadonlyMap<string, Item> => new Map(entries));
const picture: fc.Arbitrary<Picture> = fc.record({
  head: fc.record({ replica: fc.string(), isLeading: fc.boolean() }),
  items: fc.record({ cities: things, workers: things }),
});
const empty: Picture = { head: {}, items: { cities: new Map(), workers: new Map() } };

describe("what travels between two pictures", () => {
  test("makes the second one of the first, through JSON, whatever the two are", () => {
    fc.assert(
      fc.property(picture, picture, (previous, next) => {
        const changes = JSON.parse(JSON.stringify(changesBetween(previous, next))) as Changes;
        expect(applyChanges(previous, changes)).toEqual(next);
      }),
    );
  });

  test("makes the picture of nothing", () => {
    fc.assert(
      fc.property(picture, (next) => {
        const whole = applyChanges(
          applyChanges(NOTHING, changesBetween(NOTHING, empty)),
          changesBetween(empty, next),
        );
        for (const [kind, expected] of Object.entries(next.items)) {
          expect(whole.items[kind] ?? new Map()).toEqual(expected);
        }
        expect(whole.head).toEqual(next.head);
      }),
    );
  });

  test("is nothing when nothing changed", () => {
    fc.assert(
      fc.property(picture, (same) => {
        expect(changesBetween(same, structuredClone(same))).toEqual({ head: {}, items: {}, gone: {} });
      }),
    );
  });

  test("is the changed field alone of one city in ten thousand", () => {
    const tiles = Array.from({ length: 10_000 }, (_, index) => [
      `city-${index}`,
      { worker: "w", committedAtMs: 1 },
    ]);
    const cities = new Map(tiles as [string, Item][]);
    const later = new Map(cities).set("city-7", { worker: "w", committedAtMs: 2 });
    expect(changesBetween({ head: {}, items: { cities } }, { head: {}, items: { cities: later } })).toEqual({
      head: {},
      items: { cities: [["city-7", { committedAtMs: 2 }]] },
      gone: {},
    });
  });
});
