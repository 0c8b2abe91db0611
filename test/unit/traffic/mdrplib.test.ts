import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readMdrpDay } from "../../../local/traffic/mdrplib.ts";

const FILES = {
  "instance_parameters.txt": [
    "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\tmaximum click-to-door\tpay per order\tguaranteed pay per hour",
    "320\t4\t3\t40\t90\t10\t15",
  ],
  "restaurants.txt": ["restaurant\tx\ty", "r1\t8708\t5633"],
  "orders.txt": ["order\tx\ty\tplacement_time\trestaurant\tready_time", "o1\t9131\t7497\t743\tr1\t753"],
  "couriers.txt": ["courier\tx\ty\ton_time\toff_time", "c1\t11491\t2806\t0\t90"],
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mdrplib-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(changes: Readonly<Record<string, readonly string[] | undefined>> = {}): Promise<void> {
  for (const [name, lines] of Object.entries({ ...FILES, ...changes })) {
    if (lines !== undefined) await writeFile(join(folder, name), `${lines.join("\n")}\n`);
  }
}

describe("a folder of the library", () => {
  test("is read as its four files say", async () => {
    await write();
    expect(await readMdrpDay(folder)).toEqual({
      metersPerMinute: 320,
      pickupServiceMinutes: 4,
      dropoffServiceMinutes: 3,
      payPerOrder: 10,
      guaranteedPayPerHour: 15,
      restaurants: [{ id: "r1", x: 8708, y: 5633 }],
      orders: [{ id: "o1", x: 9131, y: 7497, placedAtMinute: 743, restaurant: "r1", readyAtMinute: 753 }],
      couriers: [{ id: "c1", x: 11_491, y: 2806, onAtMinute: 0, offAtMinute: 90 }],
    });
  });

  test.each<[string, Readonly<Record<string, readonly string[] | undefined>>, string]>([
    ["a file is missing", { "couriers.txt": undefined }, "couriers.txt cannot be read"],
    ["a file is empty", { "orders.txt": [] }, "orders.txt is empty"],
    ["there are no parameters", { "instance_parameters.txt": ["meters_per_minute"] }, "has no row of values"],
    ["a column is missing", { "restaurants.txt": ["restaurant\tx", "r1\t1"] }, "has no y in line 2"],
    [
      "a number is none",
      { "restaurants.txt": ["restaurant\tx\ty", "r1\tnorth\t2"] },
      "has no number as x in line 2",
    ],
    [
      "an order is from nowhere",
      { "restaurants.txt": ["restaurant\tx\ty", "r2\t1\t2"] },
      "names the unknown restaurant r1",
    ],
  ])("is refused with its place when %s", async (_, changes, message) => {
    await write(changes);
    await expect(readMdrpDay(folder)).rejects.toMatchObject({
      code: "recorded-day",
      remedy: "give-up",
      message: expect.stringContaining(message),
    });
  });
});
