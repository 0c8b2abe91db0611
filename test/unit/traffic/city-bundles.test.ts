import { describe, expect, test } from "@jest/globals";
import { distanceMeters } from "../../../local/traffic/geometry.ts";
import {
  east,
  HOME,
  inMinutes,
  MINUTE,
  minutesBetween,
  order,
  shift,
  world,
} from "../../support/city-street.ts";

describe("a bundle", () => {
  const near = order("near", { door: east(1_200), promisedAtMs: 5 * MINUTE });
  const far = order("far", { door: east(1_500), promisedAtMs: 15 * MINUTE });
  const told = (orderId: string, stop: number, changes: { courierId?: string; name?: string } = {}) => {
    const { courierId = "c1", name = "tick 1" } = changes;
    return { orderId, courierId, atMs: 0, bundle: { name, stop } };
  };

  test("is picked up together when the last of it is ready, and brought from door to door in its order", () => {
    const city = world({ orders: [near, far] });
    city.advance(0);
    city.assign(told("far", 2));
    city.assign(told("near", 1));
    // Ready at 15, leaves at 17; 2 min to 1,200 m, delivered at 20, leaves at 21; 3 min on, delivered at 25.
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual([
      "0 far accepted by c1, free at 24",
      "0 near accepted by c1, free at 26",
      "15 near picked up by c1",
      "15 far picked up by c1",
      "20 near delivered by c1",
      "25 far delivered by c1",
    ]);
    expect(city.isOver()).toBe(true);
  });

  test("shows its courier on the way from door to door", () => {
    const city = world({ orders: [near, far] });
    city.advance(0);
    city.assign(told("near", 1));
    city.assign(told("far", 2));
    const metersAt = (minute: number): number => {
      city.advance(minute * MINUTE);
      return Math.round(distanceMeters(HOME, city.courier("c1")!.position));
    };
    expect([16, 18, 20, 22, 30].map(metersAt)).toEqual([1_000, 1_100, 1_200, 1_300, 1_500]);
  });

  test("goes on without an order that is cancelled, and does not wait for it", () => {
    const city = world({ orders: [near, { ...far, givesUpAtMs: 13 * MINUTE }] });
    city.advance(0);
    city.assign(told("near", 1));
    city.assign(told("far", 2));
    // The courier would have waited until 15.
    expect(inMinutes(city.advance(60 * MINUTE)).slice(2)).toEqual([
      "13 far cancelled",
      "13 near picked up by c1",
      "18 near delivered by c1",
    ]);
  });

  test("of which one order is given to another courier before the pickup goes on with the other", () => {
    const city = world({ orders: [near, far], shifts: [shift("c1"), shift("c2")] });
    city.advance(0);
    city.assign(told("near", 1));
    city.assign(told("far", 2));
    city.advance(5 * MINUTE);
    city.assign({ orderId: "far", courierId: "c2", atMs: 5 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE)).filter((line) => !line.includes("accepted"))).toEqual([
      "12 near picked up by c1",
      "17 near delivered by c1",
      "17 far picked up by c2",
      "25 far delivered by c2",
    ]);
  });

  test("is fetched without an order that is accepted too late, which is fetched afterwards", () => {
    const answer = ({ orderId }: { readonly orderId: string }) => ({
      accepts: true,
      afterMs: orderId === "near" ? 0 : 13 * MINUTE,
    });
    const city = world({ orders: [near, { ...far, promisedAtMs: 0, readyAtMs: 0 }], rules: { answer } });
    city.advance(0);
    city.assign(told("near", 1));
    city.assign(told("far", 2));
    const lines = inMinutes(city.advance(60 * MINUTE));
    expect(lines.filter((line) => line.includes("picked up"))).toEqual([
      "12 near picked up by c1",
      "22 far picked up by c1",
    ]);
  });

  test("is not mixed with what another tick gave to the same courier", () => {
    const city = world({ orders: [near, far] });
    city.advance(0);
    city.assign(told("near", 1));
    city.assign(told("far", 1, { name: "tick 2" }));
    const lines = inMinutes(city.advance(60 * MINUTE));
    expect(lines.filter((line) => line.includes("picked up"))).toEqual([
      "15 far picked up by c1",
      "31 near picked up by c1",
    ]);
  });
});

describe("a courier's vehicle", () => {
  test("decides how fast he or she travels, and what fits on it", () => {
    const large = order("large", { vehicles: ["car"] });
    const city = world({
      orders: [order("o1"), large],
      shifts: [shift("c1"), shift("c2", { vehicle: "car" })],
      rules: {
        travelMs: ({ from, to, vehicle }) =>
          (minutesBetween(from, to) * MINUTE) / (vehicle === "car" ? 2 : 1),
      },
    });
    city.advance(0);
    city.assign({ orderId: "large", courierId: "c1", atMs: 0 });
    expect(inMinutes(city.advance(0))).toEqual(["0 large declined by c1: wrong-vehicle"]);
    city.assign({ orderId: "large", courierId: "c2", atMs: 0 });
    expect(inMinutes(city.advance(60 * MINUTE)).slice(1)).toEqual([
      "10 large picked up by c2",
      "15.5 large delivered by c2",
    ]);
  });
});

describe("a pickup that came too late, since the order had been given to somebody else", () => {
  test("is undone: the courier is free where he or she is, and the other one delivers", () => {
    const city = world({ orders: [order("o1")], shifts: [shift("c1"), shift("c2")] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0 });
    city.advance(15 * MINUTE);
    city.withdraw({ orderId: "o1", courierId: "c1", atMs: 15 * MINUTE });
    expect(city.courier("c1")!.free).toBeUndefined();
    city.assign({ orderId: "o1", courierId: "c2", atMs: 15 * MINUTE });
    expect(inMinutes(city.advance(60 * MINUTE)).at(-1)).toBe("35 o1 delivered by c2");
  });

  test("leaves the rest of the bundle on its way", () => {
    const city = world({ orders: [order("o1"), order("o2", { door: east(1_200) })] });
    city.advance(0);
    city.assign({ orderId: "o1", courierId: "c1", atMs: 0, bundle: { name: "b", stop: 1 } });
    city.assign({ orderId: "o2", courierId: "c1", atMs: 0, bundle: { name: "b", stop: 2 } });
    city.advance(15 * MINUTE);
    city.withdraw({ orderId: "o1", courierId: "c1", atMs: 15 * MINUTE });
    // At 1,100 m at 15 min: one minute to the other door.
    expect(inMinutes(city.advance(60 * MINUTE))).toEqual(["17 o2 delivered by c1"]);
    expect(city.openOrderCount).toBe(1);
  });
});
