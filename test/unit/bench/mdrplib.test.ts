import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { MdrpDay } from "../../../local/traffic/mdrplib.ts";
import { randomStream } from "../../../local/traffic/random.ts";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import { dispatchGreedily } from "../../../worker/dispatch/greedy.ts";
import type { Dispatcher } from "../../../worker/dispatch/model.ts";
import { checkSolution } from "../../bench/mdrplib/check.ts";
import { UNDISTURBED, type Disturbance } from "../../bench/mdrplib/disturb.ts";
import { figuresOf } from "../../bench/mdrplib/figures.ts";
import { PARAMETERS, playInstance, type Outcome } from "../../bench/mdrplib/play.ts";
import { playDay } from "../../bench/mdrplib/player.ts";
import { smallDay, writeDay } from "../../support/recorded-day.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mdrplib-test-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Two hours of a small town in which every courier is needed. */
function busyDay(seed: number): MdrpDay {
  const random = randomStream(seed, "day");
  const between = (low: number, high: number): number => Math.floor(low + random() * (high - low));
  const somewhere = (): { x: number; y: number } => ({ x: between(0, 6_000), y: between(0, 6_000) });
  return {
    metersPerMinute: 320,
    pickupServiceMinutes: 4,
    dropoffServiceMinutes: 4,
    payPerOrder: 10,
    guaranteedPayPerHour: 15,
    restaurants: Array.from({ length: 5 }, (_, index) => ({ id: `r${index}`, ...somewhere() })),
    orders: Array.from({ length: 50 }, (_, index) => {
      const placedAtMinute = between(0, 120);
      return {
        id: `o${index}`,
        ...somewhere(),
        placedAtMinute,
        restaurant: `r${between(0, 5)}`,
        readyAtMinute: placedAtMinute + between(5, 30),
      };
    }),
    couriers: Array.from({ length: 14 }, (_, index) => {
      const onAtMinute = between(0, 60);
      return { id: `c${index}`, ...somewhere(), onAtMinute, offAtMinute: onAtMinute + between(60, 180) };
    }),
  };
}

async function played(
  day: MdrpDay,
  dispatcher: Dispatcher = dispatch,
  disturbance: Disturbance = UNDISTURBED,
): Promise<Outcome> {
  await writeDay(join(folder, "day"), day);
  const instance = join(folder, "day");
  return playInstance({ instance, dispatcher, disturbance, out: join(folder, "solution") });
}

describe("a day played through the dispatcher", () => {
  test.each([1, 2, 3, 4, 5, 6])("could have happened (seed %i)", async (seed) => {
    for (const dispatcher of [dispatch, dispatchGreedily]) {
      expect((await played(busyDay(seed), dispatcher)).wrong).toEqual([]);
    }
  });

  test.each<[string, Partial<Disturbance>]>([
    ["meals are early or late", { noiseMinutes: 8 }],
    ["couriers decline", { acceptance: 0.7 }],
    ["orders are cancelled", { cancelled: 0.3 }],
    ["all of it happens", { noiseMinutes: 8, acceptance: 0.7, cancelled: 0.3 }],
  ])("could have happened, when %s", async (_, what) => {
    for (const seed of [1, 2, 3]) {
      const disturbance = { ...UNDISTURBED, seed, ...what };
      expect((await played(busyDay(seed), dispatch, disturbance)).wrong).toEqual([]);
    }
  });

  test("ends with every order delivered, cancelled or left, and some of them bundled", () => {
    const day = busyDay(4);
    const disturbance = { ...UNDISTURBED, seed: 4, cancelled: 0.3 };
    const result = playDay(day, dispatch, PARAMETERS, disturbance);
    const stops = result.couriers.flatMap(({ trips }) => trips.map((trip) => trip.stops));
    const ids = [
      ...stops.flat().map(({ order }) => order.id),
      ...result.cancelled.map(({ id }) => id),
      ...result.undelivered.map(({ id }) => id),
    ];
    expect(ids.toSorted()).toEqual(day.orders.map(({ id }) => id).toSorted());
    expect(result.cancelled.length).toBeGreaterThan(0);
    expect(stops.some((trip) => trip.length > 1)).toBe(true);
  });

  test("serves better than greedily, and on time when couriers are plenty", () => {
    const day = busyDay(7);
    const couriers = Array.from({ length: 60 }, (_, index) => ({
      id: `c${index}`,
      x: (index % 8) * 800,
      y: Math.floor(index / 8) * 800,
      onAtMinute: 0,
      offAtMinute: 600,
    }));
    const figures = figuresOf(playDay({ ...day, couriers }, dispatch, PARAMETERS));
    expect(figures.undeliveredPercent).toBe(0);
    expect(figures.readyToPickup).toBeLessThan(1);
    const greedy = figuresOf(playDay({ ...day, couriers }, dispatchGreedily, PARAMETERS));
    expect(figures.clickToDoor).toBeLessThan(greedy.clickToDoor);
  });

  test("has the figures that the library's evaluator computes", async () => {
    // One courier, two orders of one restaurant 320 m away, at one door 640 m from there.
    const day = {
      ...smallDay({ orders: 2, couriers: 1 }),
      restaurants: [{ id: "r1", x: 320, y: 0 }],
      orders: [0, 1].map((index) => ({
        id: `o${index}`,
        x: 960,
        y: 0,
        placedAtMinute: 600,
        restaurant: "r1",
        readyAtMinute: 610,
      })),
      couriers: [{ id: "c1", x: 0, y: 0, onAtMinute: 540, offAtMinute: 720 }],
    };
    const { figures } = await played(day);
    // Picked up at 610, at the first door at 610 + 2 + 2 + 2, at the second 4 minutes later.
    expect(figures).toEqual({
      undeliveredPercent: 0,
      clickToDoor: 18,
      clickToDoorP90: 19.6,
      readyToPickup: 0,
      ordersPerBundle: 2,
      // Three hours at 15 are more than two orders at 10.
      costPerOrder: 22.5,
    });
  });
});

describe("the checker of the rules", () => {
  /** Plays a day that breaks no rule, changes one table of the solution, and says what the checker finds. */
  async function wrongAfter(table: string, change: (lines: string[][]) => void): Promise<string[]> {
    const day = smallDay({ orders: 6, couriers: 3 });
    expect((await played(day)).wrong).toEqual([]);
    const file = join(folder, "solution", `solution_info_${table}.txt`);
    const lines = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    change(lines);
    await writeFile(file, lines.map((cells) => cells.join(" ")).join("\n"));
    return checkSolution(join(folder, "day"), join(folder, "solution"));
  }

  function add(cells: string[] | undefined, cell: number, minutes: number): void {
    cells![cell] = String(Number(cells![cell]) + minutes);
  }

  test.each<[string, string, (lines: string[][]) => void, RegExp]>([
    ["a pickup before the meal is ready", "assignments", (all) => add(all[1], 1, -9), /before it was ready/],
    [
      "a decision before the order was placed",
      "assignments",
      (all) => add(all[1], 0, -60),
      /before it was placed/,
    ],
    ["a pickup after the shift", "assignments", (all) => add(all[1], 1, 2_000), /after the shift/],
    ["an order assigned twice", "assignments", (all) => all.push(all[1]!), /assigned twice/],
    ["two restaurants in one bundle", "assignments", (all) => all[1]!.push(all[2]![3]!), /two restaurants/],
    ["a courier who is unknown", "assignments", (all) => (all[1]![2] = "c99"), /no courier c99/],
    ["an order left out", "orders", (all) => all.pop(), /not those of the instance/],
    [
      "a ready time that is not the instance's",
      "orders",
      (all) => add(all[1], 3, 1),
      /not as the instance says/,
    ],
    ["a dropoff too soon", "orders", (all) => add(all[1], 5, -1), /for the dropoff/],
    ["travel faster than possible", "couriers", (all) => add(all[2], 1, -1), /leaves|for the pickup/],
    ["a way from where the courier is not", "couriers", (all) => (all[2]![2] = "r3"), /but is at|not at/],
    [
      "a courier on the way before the decision",
      "couriers",
      (all) => add(all[1], 1, -1),
      /before the decision/,
    ],
    ["a courier who never moves", "couriers", (all) => all.splice(1), /is not at/],
  ])("finds %s", async (_, table, change, sentence) => {
    expect(await wrongAfter(table, change)).toContainEqual(expect.stringMatching(sentence));
  });
});
