import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import type { MdrpDay } from "../../../local/traffic/mdrplib.ts";
import { randomStream } from "../../../local/traffic/random.ts";
import { DEFAULT_PARAMETERS } from "../../../worker/dispatch/default-parameters.ts";
import { playDay, type PlayedDay, type PlayedOrder } from "../../support/mdrp-player.ts";

const MINUTE_MS = 60_000;
const PARAMETERS = {
  ...DEFAULT_PARAMETERS,
  periodMs: MINUTE_MS,
  horizonMs: 20 * MINUTE_MS,
  courierFreeWithinMs: 10 * MINUTE_MS,
  pickupTravelMaxMs: 60 * MINUTE_MS,
};

/** Two hours of a small town in which every courier is needed. */
function aDay(seed: number): MdrpDay {
  const random = randomStream(seed, "day");
  const between = (low: number, high: number): number => Math.floor(low + random() * (high - low));
  const somewhere = (): { x: number; y: number } => ({ x: between(0, 6_000), y: between(0, 6_000) });
  return {
    metersPerMinute: 320,
    pickupServiceMinutes: 4,
    dropoffServiceMinutes: 4,
    restaurants: Array.from({ length: 8 }, (_, index) => ({ id: `r${index}`, ...somewhere() })),
    orders: Array.from({ length: 50 }, (_, index) => {
      const placedAtMinute = between(0, 120);
      return {
        id: `o${index}`,
        ...somewhere(),
        placedAtMinute,
        restaurant: `r${between(0, 8)}`,
        readyAtMinute: placedAtMinute + between(5, 30),
      };
    }),
    couriers: Array.from({ length: 14 }, (_, index) => {
      const onAtMinute = between(0, 60);
      return { id: `c${index}`, ...somewhere(), onAtMinute, offAtMinute: onAtMinute + between(60, 180) };
    }),
  };
}

function minutes(day: MdrpDay, from: { x: number; y: number }, to: { x: number; y: number }): number {
  return Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / day.metersPerMinute);
}

/** Follows every courier through the day and lists what could not have happened. */
function impossibilities(day: MdrpDay, played: PlayedDay): string[] {
  const byCourier = Map.groupBy(played.delivered, ({ courier }) => courier);
  return day.couriers.flatMap((courier) => {
    let place: { x: number; y: number } = courier;
    let freeAtMinute = courier.onAtMinute;
    return (byCourier.get(courier.id) ?? []).flatMap((trip: PlayedOrder) => {
      const { order } = trip;
      const store = day.restaurants.find(({ id }) => id === order.restaurant)!;
      const atStore = Math.max(freeAtMinute, trip.decidedAtMinute) + minutes(day, place, store);
      const atDoor = trip.pickupAtMinute + 2 + minutes(day, store, order);
      place = order;
      freeAtMinute = trip.dropoffAtMinute + 2;
      return [
        trip.decidedAtMinute < order.placedAtMinute ? `${order.id} decided before it was placed` : "",
        trip.pickupAtMinute < order.readyAtMinute ? `${order.id} picked up before it was ready` : "",
        trip.pickupAtMinute < atStore + 2 ? `${courier.id} at the store too soon for ${order.id}` : "",
        trip.pickupAtMinute > courier.offAtMinute
          ? `${courier.id} picked up ${order.id} after the shift`
          : "",
        trip.dropoffAtMinute < atDoor + 2 ? `${courier.id} at the door too soon with ${order.id}` : "",
      ].filter((text) => text !== "");
    });
  });
}

describe("a day played through the dispatcher", () => {
  test("could have happened, and the validator lets all of it through", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const day = aDay(seed);
        const played = playDay(day, PARAMETERS);
        expect(impossibilities(day, played)).toEqual([]);
        expect(played.refused).toBe(0);
        const ids = [
          ...played.delivered.map(({ order }) => order.id),
          ...played.undelivered.map(({ id }) => id),
        ];
        expect(ids.toSorted()).toEqual(day.orders.map(({ id }) => id).toSorted());
      }),
      { numRuns: 20 },
    );
  });

  test("delivers everything, and on time, when couriers are plenty", () => {
    const day = aDay(7);
    const couriers = Array.from({ length: 60 }, (_, index) => ({
      id: `c${index}`,
      x: (index % 8) * 800,
      y: Math.floor(index / 8) * 800,
      onAtMinute: 0,
      offAtMinute: 600,
    }));
    const played = playDay({ ...day, couriers }, PARAMETERS);
    expect(played.undelivered).toEqual([]);
    const late = played.delivered.map((trip) => trip.pickupAtMinute - trip.order.readyAtMinute);
    expect(late.reduce((sum, minutes) => sum + minutes, 0) / late.length).toBeLessThan(1);
  });
});
