import { describe, expect, test } from "@jest/globals";
import { distanceMeters } from "../../../local/traffic/geometry.ts";
import { east, HOME, inMinutes, MINUTE, order, shift, world } from "../../support/city-street.ts";

describe("a courier with one order", () => {
  test("travels, handles half before and half after each stop, and is free after the door", () => {
    const city = world({ orders: [order("o1")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    // 10 min to the store, 2 handling, pickup at 12; 2 handling, 5 min to the door, 1 handling: 20; free at 21.
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual([
      "0 o1 accepted by c1, free at 21",
      "12 o1 picked up by c1",
      "20 o1 delivered by c1",
    ]);
    expect(city.isOver()).toBe(true);
  });

  test("waits at the store until the food is ready, whatever was promised", () => {
    const city = world({ orders: [order("o1", { promisedAtMs: 5 * MINUTE, readyAtMs: 30 * MINUTE })] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(60 * MINUTE)).slice(1)).toEqual([
      "30 o1 picked up by c1",
      "38 o1 delivered by c1",
    ]);
  });

  test("is seen on the way, at the store and on the way to the door", () => {
    const city = world({ orders: [order("o1")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    const metersAt = (minute: number): number => {
      city.advance(minute * MINUTE);
      return Math.round(distanceMeters(HOME, city.courier("c1")!.position));
    };
    expect([5, 10, 13, 15, 19, 25].map(metersAt)).toEqual([500, 1_000, 1_000, 1_100, 1_500, 1_500]);
    expect(city.courier("c1")!.free).toBeUndefined();
  });

  test("told late, still acts as if told in time", () => {
    const city = world({ orders: [order("o1")] });
    city.advance(7 * MINUTE);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 1 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual([
      "1 o1 accepted by c1, free at 22",
      "13 o1 picked up by c1",
      "21 o1 delivered by c1",
    ]);
  });

  test("told twice, does it once", () => {
    const city = world({ orders: [order("o1")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.advance(5 * MINUTE);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual(["12 o1 picked up by c1", "20 o1 delivered by c1"]);
  });
});

describe("a courier with several orders", () => {
  test("does them in the order of their acceptance and says when all are done", () => {
    const city = world({ orders: [order("o1"), order("o2", { door: east(900) })] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.advance(1 * MINUTE);
    city.assign({ orderId: "o2", courierId: "c1", atMs: 1 * MINUTE });
    // Free at 21 at 1,500 m; 5 min back to the store, pickup at 28, leaves at 30, at the door at 31, delivered at 32.
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual([
      "1 o2 accepted by c1, free at 33",
      "12 o1 picked up by c1",
      "20 o1 delivered by c1",
      "28 o2 picked up by c1",
      "32 o2 delivered by c1",
    ]);
  });

  test("goes on with the next one from where the customer's cancellation finds him or her", () => {
    const city = world({ orders: [order("o1", { givesUpAtMs: 4 * MINUTE }), order("o2")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.assign({ orderId: "o2", courierId: "c1", atMs: 1 });
    // At 4 min the courier is at 400 m: six minutes are left to the store.
    expect(inMinutes(city.advance(60 * MINUTE)).slice(2)).toEqual([
      "4 o1 cancelled",
      "12 o2 picked up by c1",
      "20 o2 delivered by c1",
    ]);
  });
});

describe("an order", () => {
  test("can no longer be cancelled once it is picked up", () => {
    const city = world({ orders: [order("o1", { givesUpAtMs: 12 * MINUTE })] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("20 o1 delivered by c1");
  });

  test("that nobody takes is cancelled when the customer gives up, and nobody is sent for it any more", () => {
    const city = world({ orders: [order("o1", { givesUpAtMs: 30 * MINUTE })] });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("30 o1 cancelled");
    city.assign({ orderId: "o1", courierId: "c1", atMs: 60 * MINUTE });
    expect(inMinutes(city.advance(61 * MINUTE))).toEqual(["60 o1 declined by c1: unknown"]);
  });

  test("goes to another courier when one declines", () => {
    const city = world({
      orders: [order("o1")],
      shifts: [shift("c1"), shift("c2")],
      rules: { answer: ({ courierId }) => ({ accepts: courierId === "c2", afterMs: MINUTE }) },
    });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(2 * MINUTE))).toEqual(["1 o1 declined by c1: unwilling"]);
    city.assign({ orderId: "o1", courierId: "c2", atMs: 2 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("23 o1 delivered by c2");
  });

  test("taken from one courier and given to another before the pickup is delivered once", () => {
    const city = world({ orders: [order("o1")], shifts: [shift("c1"), shift("c2")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.advance(3 * MINUTE);
    city.assign({ orderId: "o1", courierId: "c2", atMs: 3 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual([
      "3 o1 accepted by c2, free at 24",
      "15 o1 picked up by c2",
      "23 o1 delivered by c2",
    ]);
    expect(Math.round(distanceMeters(HOME, city.courier("c1")!.position))).toBe(300);
  });
});

describe("an assignment that no longer stands", () => {
  test("stops its courier on the way and leaves the order to another one", () => {
    const city = world({ orders: [order("o1")], shifts: [shift("c1"), shift("c2")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.advance(2 * MINUTE);
    city.withdraw({ orderId: "o1", courierId: "c2", atMs: 2 * MINUTE });
    expect(city.courier("c1")!.free).toBeDefined();
    city.withdraw({ orderId: "o1", courierId: "c1", atMs: 2 * MINUTE });
    expect(city.courier("c1")!.free).toBeUndefined();
    city.assign({ orderId: "o1", courierId: "c2", atMs: 2 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("22 o1 delivered by c2");
    expect(Math.round(distanceMeters(HOME, city.courier("c1")!.position))).toBe(200);
  });
});

describe("a shift", () => {
  const brief = shift("c1", { offMs: 12 * MINUTE });

  test("lets a courier pick up to its very end, and deliver after it", () => {
    const city = world({ orders: [order("o1")], shifts: [brief] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("20 o1 delivered by c1");
  });

  test("makes a courier decline what could only be picked up after its end", () => {
    const city = world({ orders: [order("o1")], shifts: [brief] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 1 });
    expect(inMinutes(city.advance(1))).toEqual([`${1 / MINUTE} o1 declined by c1: shift-over`]);
  });

  test("that is the last one ends the day, also with orders that nobody delivered", () => {
    const city = world({ orders: [order("o1")], shifts: [brief] });
    city.advance(12 * MINUTE - 1);
    expect(city.isOver()).toBe(false);
    city.advance(12 * MINUTE);
    expect(city.isOver()).toBe(true);
    expect(city.openOrderCount).toBe(1);
  });
});
