import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MdrpDay } from "../../local/traffic/mdrplib.ts";

/** A small recorded day: `orders` orders, one a minute, from three restaurants, with couriers for all of them. */
export function smallDay(counts: {
  readonly orders: number;
  readonly couriers: number;
  readonly offAtMinute?: number;
}): MdrpDay {
  return {
    metersPerMinute: 320,
    pickupServiceMinutes: 4,
    dropoffServiceMinutes: 4,
    payPerOrder: 10,
    guaranteedPayPerHour: 15,
    restaurants: [0, 1, 2].map((index) => ({ id: `r${index + 1}`, x: 1_000 * index, y: 700 })),
    orders: Array.from({ length: counts.orders }, (_, index) => ({
      id: `o${index + 1}`,
      x: (index * 577) % 3_000,
      y: (index * 331) % 2_000,
      placedAtMinute: 660 + index,
      restaurant: `r${1 + (index % 3)}`,
      readyAtMinute: 668 + index,
    })),
    couriers: Array.from({ length: counts.couriers }, (_, index) => ({
      id: `c${index + 1}`,
      x: (index * 401) % 3_000,
      y: (index * 199) % 2_000,
      onAtMinute: 600,
      offAtMinute: counts.offAtMinute ?? 1_440,
    })),
  };
}

/** Writes the day as the library publishes its days. */
export async function writeDay(folder: string, day: MdrpDay): Promise<void> {
  await mkdir(folder, { recursive: true });
  const table = (name: string, rows: readonly (readonly (string | number)[])[]): Promise<void> =>
    writeFile(join(folder, `${name}.txt`), `${rows.map((row) => row.join("\t")).join("\n")}\n`);
  await Promise.all([
    table("instance_parameters", [
      [
        "meters_per_minute",
        "pickup service minutes",
        "dropoff service minutes",
        "pay per order",
        "guaranteed pay per hour",
      ],
      [
        day.metersPerMinute,
        day.pickupServiceMinutes,
        day.dropoffServiceMinutes,
        day.payPerOrder,
        day.guaranteedPayPerHour,
      ],
    ]),
    table("restaurants", [["restaurant", "x", "y"], ...day.restaurants.map(({ id, x, y }) => [id, x, y])]),
    table("orders", [
      ["order", "x", "y", "placement_time", "restaurant", "ready_time"],
      ...day.orders.map((o) => [o.id, o.x, o.y, o.placedAtMinute, o.restaurant, o.readyAtMinute]),
    ]),
    table("couriers", [
      ["courier", "x", "y", "on_time", "off_time"],
      ...day.couriers.map((c) => [c.id, c.x, c.y, c.onAtMinute, c.offAtMinute]),
    ]),
  ]);
}
