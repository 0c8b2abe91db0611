import { expect, test } from "@jest/globals";
import type { OpenOrderRow } from "../../../db/snapshot.ts";
import {
  countWaiting,
  oldestAgeSeconds,
  waitingAfter,
  type WaitingOrders,
} from "../../../worker/tenure/waiting-orders.ts";
import { cityOf, taskOf } from "../../support/cities.ts";

const NOW_MS = 10_000_000;
const MINUTE_MS = 60_000;
const task = taskOf(cityOf("madrid"));

function order(orderId: string, placedMinutesAgo: number, fields: Partial<OpenOrderRow> = {}): OpenOrderRow {
  const placedAtMs = NOW_MS - placedMinutesAgo * MINUTE_MS;
  return { orderId, placedAtMs, readyAtMs: placedAtMs, courierId: undefined, ...fields } as OpenOrderRow;
}

const waiting = (orders: readonly OpenOrderRow[], given: readonly string[] = []) =>
  waitingAfter({ orders, databaseTimeMs: NOW_MS }, new Set(given), task);

test("an order waits until somebody has it, or gets it by this tick", () => {
  const orders = [order("given", 9), order("held", 8, { courierId: "c1" }), order("old", 7), order("new", 1)];
  expect(waiting(orders, ["given"])).toEqual({ count: 2, oldestSinceMs: NOW_MS - 7 * MINUTE_MS });
  expect(waiting([])).toEqual({ count: 0, oldestSinceMs: undefined });
});

test("an order for later waits from when it came within the horizon", () => {
  const later = (minutes: number) => order("later", 300, { readyAtMs: NOW_MS + minutes * MINUTE_MS });
  expect(waiting([later(60)]).count).toBe(0);
  // The horizon is 20 minutes.
  expect(waiting([later(15)])).toEqual({ count: 1, oldestSinceMs: NOW_MS - 5 * MINUTE_MS });
});

test("of all cities together, the oldest counts", () => {
  const cities: WaitingOrders = new Map([
    ["madrid", waiting([order("a", 3), order("b", 2)])],
    ["paris", waiting([order("c", 5)])],
    ["rome", waiting([])],
  ]);
  expect(countWaiting(cities)).toBe(3);
  expect(oldestAgeSeconds(cities, NOW_MS + 1_000)).toBe(301);
  expect(oldestAgeSeconds(new Map(), NOW_MS)).toBe(0);
});
