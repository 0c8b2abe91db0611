import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationalError } from "../../runtime/errors.ts";

/**
 * One recorded city-day of the Meal Delivery Routing Problem library (MDRPLib, published by Grubhub and Georgia Tech), as
 * its four tab-separated files say it. Places are metres on a plane, times are minutes of the day.
 */
export type MdrpDay = {
  readonly metersPerMinute: number;
  /** Handling at the store; by the library's rules half of it before the pickup and half after. */
  readonly pickupServiceMinutes: number;
  readonly dropoffServiceMinutes: number;
  /** What a courier is paid for each order, and for each hour on duty at least, in the library's currency. */
  readonly payPerOrder: number;
  readonly guaranteedPayPerHour: number;
  readonly restaurants: readonly MdrpRestaurant[];
  readonly orders: readonly MdrpOrder[];
  readonly couriers: readonly MdrpCourier[];
};

export type MdrpRestaurant = { readonly id: string; readonly x: number; readonly y: number };

export type MdrpOrder = {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly placedAtMinute: number;
  /** Id of a restaurant of the same day. */
  readonly restaurant: string;
  readonly readyAtMinute: number;
};

export type MdrpCourier = {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly onAtMinute: number;
  readonly offAtMinute: number;
};

/**
 * Reads the folder of one instance. Throws an OperationalError (code `recorded-day`) when a file is missing or does not
 * say what it should.
 */
export async function readMdrpDay(folder: string): Promise<MdrpDay> {
  const [parameters, restaurants, orders, couriers] = await Promise.all([
    readTable(join(folder, "instance_parameters.txt")),
    readTable(join(folder, "restaurants.txt")),
    readTable(join(folder, "orders.txt")),
    readTable(join(folder, "couriers.txt")),
  ]);
  const first = parameters[0];
  if (first === undefined) throw unusable(join(folder, "instance_parameters.txt"), "has no row of values");
  const day: MdrpDay = {
    metersPerMinute: first.number("meters_per_minute"),
    pickupServiceMinutes: first.number("pickup service minutes"),
    dropoffServiceMinutes: first.number("dropoff service minutes"),
    payPerOrder: first.number("pay per order"),
    guaranteedPayPerHour: first.number("guaranteed pay per hour"),
    restaurants: restaurants.map((row) => ({
      id: row.text("restaurant"),
      x: row.number("x"),
      y: row.number("y"),
    })),
    orders: orders.map((row) => ({
      id: row.text("order"),
      x: row.number("x"),
      y: row.number("y"),
      placedAtMinute: row.number("placement_time"),
      restaurant: row.text("restaurant"),
      readyAtMinute: row.number("ready_time"),
    })),
    couriers: couriers.map((row) => ({
      id: row.text("courier"),
      x: row.number("x"),
      y: row.number("y"),
      onAtMinute: row.number("on_time"),
      offAtMinute: row.number("off_time"),
    })),
  };
  const known = new Set(day.restaurants.map(({ id }) => id));
  const stray = day.orders.find(({ restaurant }) => !known.has(restaurant));
  if (stray !== undefined) {
    throw unusable(join(folder, "orders.txt"), `names the unknown restaurant ${stray.restaurant}`);
  }
  return day;
}

type Row = { text(column: string): string; number(column: string): number };

async function readTable(file: string): Promise<readonly Row[]> {
  const content = await readFile(file, "utf8").catch((cause: unknown) => {
    throw unusable(file, "cannot be read", cause);
  });
  const [header, ...lines] = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (header === undefined) throw unusable(file, "is empty");
  const columns = new Map(header.split("\t").map((name, index) => [name.trim(), index]));
  return lines.map((line, index) => {
    const cells = line.split("\t");
    const text = (column: string): string => {
      const value = cells[columns.get(column) ?? -1]?.trim();
      if (value === undefined || value === "") throw unusable(file, `has no ${column} in line ${index + 2}`);
      return value;
    };
    return {
      text,
      number(column) {
        const value = Number(text(column));
        if (!Number.isFinite(value)) throw unusable(file, `has no number as ${column} in line ${index + 2}`);
        return value;
      },
    };
  });
}

function unusable(file: string, what: string, cause?: unknown): OperationalError {
  return new OperationalError({
    code: "recorded-day",
    remedy: "give-up",
    message: `${file} ${what}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
